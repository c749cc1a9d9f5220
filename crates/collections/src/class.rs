//! jemalloc's size classes: how many bytes an allocation really takes.
//!
//! Entries are allocated in whole classes, so that "fits in place" and the memory estimate need no bookkeeping. With
//! another allocator the estimate is a little off; nothing else depends on it.

/// The size class that an allocation of `size` bytes falls into: 8, then steps of 16 up to 128, then four per doubling.
#[inline]
pub const fn class(size: usize) -> usize {
    if size <= 8 {
        8
    } else if size <= 128 {
        (size + 15) & !15
    } else {
        let step = 1 << ((size - 1).ilog2() - 2);
        (size + step - 1) & !(step - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn classes_are_those_of_jemalloc() {
        let known = [
            8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
            1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 14336,
            16384, 20480,
        ];
        let mut below = 0;
        for size in known {
            assert_eq!(class(size), size);
            assert_eq!(class(below + 1), size);
            below = size;
        }
    }
}
