//! The basics of ACL: a sentinel has one user, `default`, with or without a password.

use super::{Call, Done};
use crate::core::Sentinel;
use tanist_resp::Reply;
use tanist_text::acl::CATEGORIES;

impl Sentinel {
    pub(crate) fn cmd_acl_whoami(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.bulk(b"default");
        Done::Now
    }

    pub(crate) fn cmd_acl_users(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.array(1);
        r.bulk(b"default");
        Done::Now
    }

    pub(crate) fn cmd_acl_list(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.array(1);
        let pass = if self.globals.requirepass.is_some() { "" } else { "nopass " };
        r.bulk_str(&format!("user default on {pass}~* &* +@all"));
        Done::Now
    }

    pub(crate) fn cmd_acl_getuser(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args[2] != b"default" {
            r.null();
            return Done::Now;
        }
        r.map(7);
        r.bulk_str("flags");
        let open = self.globals.requirepass.is_none();
        r.set(if open { 2 } else { 1 });
        r.bulk_str("on");
        if open {
            r.bulk_str("nopass");
        }
        r.bulk_str("passwords");
        r.array(0);
        for (field, value) in
            [("commands", "+@all"), ("keys", "~*"), ("channels", "&*"), ("databases", "alldbs")]
        {
            r.bulk_str(field);
            r.bulk_str(value);
        }
        r.bulk_str("selectors");
        r.array(0);
        Done::Now
    }

    pub(crate) fn cmd_acl_cat(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match call.args.len() {
            2 => {
                r.array(CATEGORIES.len());
                CATEGORIES.iter().for_each(|c| r.bulk_str(c));
            }
            3 if CATEGORIES.contains(&call.word(2).as_str()) => {
                let category = format!("@{}", call.word(2));
                let names: Vec<_> = super::table::TABLE
                    .iter()
                    .filter(|c| c.categories.contains(&category.as_str()))
                    .map(|c| c.name)
                    .collect();
                r.array(names.len());
                names.iter().for_each(|n| r.bulk_str(n));
            }
            3 => r.error(&format!("ERR Unknown category '{}'", call.text(2))),
            _ => r.error(&format!(
                "ERR unknown subcommand or wrong number of arguments for '{}'. Try ACL HELP.",
                call.text(1)
            )),
        }
        Done::Now
    }

    pub(crate) fn cmd_acl_help(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        super::command::help(call, r, "ACL")
    }
}
