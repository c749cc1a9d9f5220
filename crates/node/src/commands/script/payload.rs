//! `FUNCTION DUMP` and `FUNCTION RESTORE`: libraries as a payload.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;
use tanist_scripting::Policy;

/// `FUNCTION DUMP`
pub(crate) fn dump(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let mut payload = Vec::new();
    let codes: Vec<&[u8]> = ctx.node.scripting.libraries.iter().map(|library| &*library.code).collect();
    tanist_rdb::dump_functions(&codes, ctx.node.config.rdbcompression, &mut payload);
    ctx.reply().bulk(&payload);
    Ok(())
}

/// `FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]`
pub(crate) fn restore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 4 {
        return Err(super::wrong_subcommand("FUNCTION", args.at(1)));
    }
    let policy = match args.get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"append") => Policy::Append,
        Some(b"flush") => Policy::Flush,
        Some(b"replace") => Policy::Replace,
        Some(_) => {
            return Err(Error::new(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let codes = tanist_rdb::restore_functions(args.at(2), ctx.node.config.proto_max_bulk_len)
        .map_err(|_| Error::new("ERR DUMP payload version or checksum are wrong"))?;
    let restored = ctx.node.scripting.libraries.restore(&codes, policy);
    ctx.node.log_lines_of_libraries(ctx.outs);
    restored.map_err(Error::new)?;
    ctx.node.dirty += 1;
    ctx.reply().ok();
    Ok(())
}
