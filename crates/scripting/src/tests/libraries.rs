//! The libraries beside Lua's own, by what those of Redis answer.

use super::World;
use crate::{Libraries, Policy};

#[track_caller]
fn all(cases: &[(&str, &str)]) {
    let mut world = World::new();
    for (expression, value) in cases {
        assert_eq!(world.eval(expression), *value, "{expression}");
    }
}

/// The message that an expression fails with.
#[track_caller]
fn errors(cases: &[(&str, &str)]) {
    let mut world = World::new();
    for (expression, value) in cases {
        let code =
            format!("(function() local ok, e = pcall(function() return {expression} end) return e end)()");
        assert_eq!(world.eval(&code), format!("user_script:1: {value}"), "{expression}");
    }
}

#[test]
fn json_is_written() {
    all(&[
        ("cjson.encode({1, 'a', true, cjson.null, {b = 0.1}})", r#"[1,"a",true,null,{"b":0.1}]"#),
        ("cjson.encode({})", "{}"),
        ("cjson.encode('/\"\\\\\\n\\1\\127é')", r#""\/\"\\\n\u0001\u007fé""#),
        ("cjson.encode({1, 2, nil, 4})", "[1,2,null,4]"),
        ("cjson.encode({[1] = 1, x = 2}) ~= '[1]'", "true"),
        ("cjson.encode({[5] = 1})", "[null,null,null,null,1]"),
        ("cjson.encode(1e100)", "1e+100"),
        ("cjson.encode(123456789012345)", "1.2345678901234e+14"),
        ("tostring(cjson.null)", "userdata: (nil)"),
        (
            "(function() local c = cjson.new() c.encode_sparse_array(true) return c.encode({[20] = 1}) end)()",
            r#"{"20":1}"#,
        ),
        (
            "(function() local c = cjson.new() c.encode_number_precision(3) return c.encode(3.14159) end)()",
            "3.14",
        ),
        (
            "(function() local c = cjson.new() c.encode_invalid_numbers('null') return c.encode(1/0) end)()",
            "null",
        ),
        (
            "(function() local c = cjson.new() c.encode_invalid_numbers(true) return c.encode(-1/0) end)()",
            "-inf",
        ),
        (
            "table.concat({cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}, ' ')",
            "1000 1000 14",
        ),
        ("cjson.encode_keep_buffer()", "true"),
    ]);
    errors(&[
        ("cjson.encode({[20] = 1})", "Cannot serialise table: excessively sparse array"),
        ("cjson.encode(print)", "Script attempted to access nonexistent global variable 'print'"),
        ("cjson.encode(pairs)", "Cannot serialise function: type not supported"),
        ("cjson.encode(0/0)", "Cannot serialise number: must not be NaN or Inf"),
        ("cjson.encode({[true] = 1})", "Cannot serialise boolean: table key must be a number or string"),
        ("cjson.encode()", "bad argument #1 to 'encode' (expected 1 argument)"),
        (
            "cjson.encode_max_depth(0)",
            "bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)",
        ),
        ("cjson.encode_max_depth(1, 2)", "bad argument #2 to 'encode_max_depth' (found too many arguments)"),
        ("cjson.encode_keep_buffer('x')", "bad argument #1 to 'encode_keep_buffer' (invalid option 'x')"),
        (
            "(function() local t = {} t[1] = t return cjson.encode(t) end)()",
            "Cannot serialise, excessive nesting (1001)",
        ),
    ]);
}

#[test]
fn json_is_read() {
    all(&[
        ("cjson.decode('[1, \"a\", true, {\"b\": [null]}]')[4].b[1] == cjson.null", "true"),
        (r#"cjson.decode('"\\u00e9\\ud83d\\ude00\\n\\/"')"#, "é😀\n/"),
        ("cjson.decode(' -1.5e3 ')", "-1500"),
        ("cjson.decode('0x10')", "16"),
        ("cjson.decode('[]')[1]", "nil"),
        ("cjson.decode('nan') ~= 0", "true"),
        ("#cjson.decode(string.rep('[', 1000) .. string.rep(']', 1000))", "1"),
    ]);
    errors(&[
        ("cjson.decode('')", "Expected value but found T_END at character 1"),
        ("cjson.decode('{a}')", "Expected object key string but found invalid token at character 2"),
        ("cjson.decode('{\"a\" 1}')", "Expected colon but found T_NUMBER at character 6"),
        ("cjson.decode('[1 2]')", "Expected comma or array end but found T_NUMBER at character 4"),
        ("cjson.decode('{\"a\":1]')", "Expected comma or object end but found T_ARR_END at character 7"),
        ("cjson.decode('\"abc')", "Expected value but found unexpected end of string at character 5"),
        (r#"cjson.decode('"\\q"')"#, "Expected value but found invalid escape code at character 2"),
        (
            r#"cjson.decode('"\\ud800x"')"#,
            "Expected value but found invalid unicode escape code at character 2",
        ),
        ("cjson.decode('1 2')", "Expected the end but found T_NUMBER at character 3"),
        ("cjson.decode('tru')", "Expected value but found invalid token at character 1"),
        ("cjson.decode('a\\0b')", "JSON parser does not support UTF-16 or UTF-32"),
        (
            "cjson.decode(string.rep('[', 1001))",
            "Found too many nested data structures (1001) at character 1001",
        ),
        ("cjson.decode()", "bad argument #1 to 'decode' (expected 1 argument)"),
        ("cjson.decode({})", "bad argument #1 to 'decode' (string expected, got table)"),
        (
            "(function() local c = cjson.new() c.decode_invalid_numbers(false) return c.decode('0x1') end)()",
            "Expected value but found invalid number at character 1",
        ),
    ]);
}

#[test]
fn messages_are_packed_and_unpacked() {
    let hex = "(function(...) return (cmsgpack.pack(...):gsub('.', function(c) return string.format('%02x', c:byte()) end)) end)";
    let packed = |values: &str| format!("{hex}({values})");
    let cases: Vec<(String, &str)> = [
        ("1, -1, 127, 128, 255, 256, 65535, 65536", "01ff7fcc80ccffcd0100cdffffce00010000"),
        ("-32, -33, -128, -129, -32768, -32769", "e0d0dfd080d1ff7fd18000d2ffff7fff"),
        ("2^32, -2^31, -2^31 - 1, 2^62", "cf0000000100000000d280000000d3ffffffff7fffffffcf4000000000000000"),
        ("1.5, 0.1, 2^63", "ca3fc00000cb3fb999999999999aca5f000000"),
        ("nil, true, false, 'a', ''", "c0c3c2a161a0"),
        ("{}, {1, 2}, {a = 1}", "9092010281a16101"),
        ("('x'):rep(32)", "d92078787878787878787878787878787878787878787878787878787878787878 78"),
    ]
    .map(|(values, hex)| (packed(values), hex))
    .into();
    let mut world = World::new();
    for (expression, value) in &cases {
        assert_eq!(world.eval(expression), value.replace(' ', ""), "{expression}");
    }
    all(&[
        ("cmsgpack.unpack(cmsgpack.pack({a = {1, 2, {b = 'c'}}})).a[3].b", "c"),
        ("table.concat({cmsgpack.unpack(cmsgpack.pack(1, -5, 'x', 2^40))}, ' ')", "1 -5 x 1099511627776"),
        ("table.concat({cmsgpack.unpack_one('\\1\\2\\3')}, ' ')", "1 1"),
        ("table.concat({cmsgpack.unpack_one('\\1\\2\\3', 2)}, ' ')", "-1 3"),
        ("table.concat({cmsgpack.unpack_limit('\\1\\2\\3', 2)}, ' ')", "2 1 2"),
        // The seventeenth level is nil.
        (
            "(function() local t = {} for i = 1, 20 do t = {t} end local n, u = 0, cmsgpack.unpack(cmsgpack.pack(t)) while type(u) == 'table' do n, u = n + 1, u[1] end return n end)()",
            "16",
        ),
    ]);
    errors(&[
        ("cmsgpack.unpack('\\145')", "Missing bytes in input."),
        ("cmsgpack.unpack('\\193')", "Bad data format in input."),
        ("cmsgpack.unpack('\\196\\1x')", "Bad data format in input."),
        ("cmsgpack.unpack('\\197')", "Bad data format in input."),
        ("cmsgpack.unpack('\\198\\0\\0\\0\\1x')", "Bad data format in input."),
        ("cmsgpack.unpack('\\219\\255\\255\\255\\255')", "Missing bytes in input."),
        ("cmsgpack.unpack('\\221\\255\\255\\255\\255')", "Missing bytes in input."),
        ("cmsgpack.unpack_one('a', 2)", "Start offset 2 greater than input length 1."),
        ("cmsgpack.unpack_one('a', -1)", "Invalid request to unpack with offset of -1 and limit of 1."),
        ("cmsgpack.pack()", "bad argument #0 to 'pack' (MessagePack pack needs input.)"),
    ]);
}

#[test]
fn structures_are_packed_and_unpacked() {
    let hex = "(function(...) return (struct.pack(...):gsub('.', function(c) return string.format('%02x', c:byte()) end)) end)";
    let mut world = World::new();
    for (arguments, value) in [
        ("'>I2hB', 1, -2, 255", "0001fffeff"),
        ("'<i4', -1", "ffffffff"),
        ("'>i16', -1", "ffffffffffffffff0000000000000000"),
        ("'!4 b i4', 1, 2", "0100000002000000"),
        ("'>f d', 1.5, -2", "3fc00000c000000000000000"),
        ("'c3 s x', 'abcd', 'xy'", "61626378790000"),
        ("'c0', 'abc'", "616263"),
    ] {
        // Integers wider than eight bytes have nothing but zeros beyond them.
        let expected = if arguments.contains("i16") { "0000000000000000ffffffffffffffff" } else { value };
        assert_eq!(world.eval(&format!("{hex}({arguments})")), expected, "{arguments}");
    }
    all(&[
        ("table.concat({struct.unpack('>I2hB', '\\0\\1\\255\\254\\255')}, ' ')", "1 -2 255 6"),
        ("table.concat({struct.unpack('<i3', '\\255\\255\\255')}, ' ')", "-1 4"),
        ("table.concat({struct.unpack('Bc0s', '\\2abxyz\\0q')}, ' ')", "ab xyz 8"),
        ("table.concat({struct.unpack('b', 'abc', 3)}, ' ')", "99 4"),
        ("struct.size('!8 b d')", "16"),
        ("select('#', struct.unpack('', ''))", "1"),
    ]);
    errors(&[
        ("struct.pack('i33', 1)", "integral size 33 is larger than limit of 32"),
        ("struct.pack('i99999999999', 1)", "integral size overflow"),
        ("struct.pack('!3', 1)", "alignment 3 is not a power of 2"),
        ("struct.pack('y', 1)", "bad argument #1 to 'pack' (invalid format option 'y')"),
        ("struct.pack('c9', 'a')", "bad argument #3 to 'pack' (string too short)"),
        ("struct.unpack('i4', 'abc')", "bad argument #2 to 'unpack' (data string too short)"),
        ("struct.unpack('c2147483647', 'abc')", "bad argument #2 to 'unpack' (data string too short)"),
        ("struct.unpack('c0', 'abc')", "format 'c0' needs a previous size"),
        ("struct.unpack('s', 'abc')", "unfinished string in data"),
        ("struct.unpack('b', 'abc', 0)", "bad argument #3 to 'unpack' (offset must be 1 or greater)"),
        ("struct.size('s')", "bad argument #1 to 'size' (option 's' has no fixed size)"),
    ]);
}

#[test]
fn bits_are_those_of_32_bit_numbers() {
    all(&[
        ("bit.band(0xff, 0x0f)", "15"),
        ("bit.bor(1, 2, 4)", "7"),
        ("bit.bxor(0xffffffff, 1)", "-2"),
        ("bit.bnot(0)", "-1"),
        ("bit.lshift(1, 31)", "-2147483648"),
        ("bit.lshift(1, 33)", "2"),
        ("bit.rshift(-1, 28)", "15"),
        ("bit.arshift(-256, 4)", "-16"),
        ("bit.rol(0x12345678, 12)", "1164411171"),
        ("bit.ror(0x12345678, 12)", "1736516421"),
        ("bit.bswap(0x12345678)", "2018915346"),
        ("bit.tobit(2^32 + 5)", "5"),
        ("bit.tohex(255)", "000000ff"),
        ("bit.tohex(255, -4)", "00FF"),
        ("bit.tohex(-1, -2147483648)", "FFFFFFFF"),
    ]);
    errors(&[("bit.band()", "bad argument #1 to 'band' (number expected, got no value)")]);
}

const LIBRARY: &[u8] = b"#!lua name=lib\nlocal n = 0\nredis.register_function('add', function(keys, args) n = n + #keys return n end)\n\
    redis.register_function{function_name='ro', callback=function() return 1 end, flags={'no-writes'}, description='reads'}";

#[test]
fn libraries_register_functions() {
    let mut libraries = Libraries::new(super::VERSIONS);
    assert_eq!(libraries.load(LIBRARY, false), Ok(b"lib".to_vec()));
    assert_eq!(libraries.count(), (1, 2));
    let (_, flags) = libraries.find(b"ro").expect("registered");
    assert_eq!(flags.names().collect::<Vec<_>>(), ["no-writes"]);
    assert_eq!(libraries.load(LIBRARY, false), Err("ERR Library 'lib' already exists".into()));
    assert_eq!(libraries.load(LIBRARY, true), Ok(b"lib".to_vec()));
    for (code, text) in [
        ("#!lua name=b\nx", "ERR Error compiling function: user_function:2: '=' expected near '<eof>'"),
        (
            "#!lua name=b\nx=1",
            "ERR Error registering functions: ERR user_function:2: Attempt to modify a readonly table",
        ),
        (
            "#!lua name=b\npairs()",
            "ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'pairs'",
        ),
        (
            "#!lua name=b\nredis.call('x')",
            "ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'call'",
        ),
        ("#!lua name=b\nreturn 1", "ERR No functions registered"),
        ("#!lua name=b\nredis.register_function('ro', function() end)", "ERR Function ro already exists"),
        (
            "#!lua name=b\nredis.register_function('a b', function() end)",
            "ERR Function names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        ),
        (
            "#!lua name=b\nredis.register_function('a')",
            "ERR Error registering functions: ERR calling server.register_function with a single argument is only applicable to Lua table (representing named arguments).",
        ),
        ("#!lua name=b\nwhile true do end", "ERR Error registering functions: ERR FUNCTION LOAD timeout"),
    ] {
        assert_eq!(libraries.load(code.as_bytes(), false), Err(text.to_owned()), "{code}");
        assert_eq!(libraries.count(), (1, 2), "{code}");
    }
    assert!(libraries.remove(b"lib") && !libraries.remove(b"lib"));
    assert_eq!(libraries.count(), (0, 0));
}

#[test]
fn restoring_is_all_or_nothing() {
    let code = |name: &str, function: &str| {
        format!("#!lua name={name}\nredis.register_function('{function}', function() return 1 end)")
            .into_bytes()
    };
    let names = |libraries: &Libraries| -> Vec<String> {
        libraries.iter().map(|l| String::from_utf8_lossy(&l.name).into_owned()).collect()
    };
    let mut libraries = Libraries::new(super::VERSIONS);
    libraries.restore(&[code("a", "fa"), code("b", "fb")], Policy::Append).expect("new ones");
    for (codes, policy, text) in [
        (vec![code("c", "fc"), code("a", "fx")], Policy::Append, "ERR Library a already exists"),
        (vec![code("c", "fc"), code("d", "fa")], Policy::Append, "ERR Function fa already exists"),
        (vec![code("c", "fc"), code("c", "fd")], Policy::Flush, "ERR Library c already exists"),
        (vec![code("c", "fc"), code("d", "fc")], Policy::Flush, "ERR Function fc already exists"),
        (vec![code("a", "fb")], Policy::Replace, "ERR Function fb already exists"),
    ] {
        assert_eq!(libraries.restore(&codes, policy), Err(text.to_owned()));
        assert_eq!(names(&libraries), ["a", "b"]);
        assert!(libraries.find(b"fc").is_none() && libraries.find(b"fa").is_some());
    }
    libraries.restore(&[code("a", "fb"), code("b", "fa")], Policy::Replace).expect("they change places");
    libraries.restore(&[code("c", "fa")], Policy::Flush).expect("alone");
    assert_eq!(names(&libraries), ["c"]);
    assert_eq!(libraries.count(), (1, 1));
}
