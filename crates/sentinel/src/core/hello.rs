//! The hello message that sentinels exchange through the nodes' channel `__sentinel__:hello` and directly:
//! `ip,port,runid,current_epoch,group,primary_ip,primary_port,config_epoch`.

use super::addr::Addr;
use tanist_types::{ConfigEpoch, Epoch, RunId};

/// The channel of hello messages.
pub(crate) const CHANNEL: &str = "__sentinel__:hello";

/// One hello message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hello {
    /// Where the sender is reached.
    pub(crate) addr: Addr,
    pub(crate) run_id: RunId,
    /// The highest election epoch that the sender knows.
    pub(crate) epoch: Epoch,
    pub(crate) group: String,
    /// Who is primary, as the sender sees it.
    pub(crate) primary: Addr,
    /// In which epoch that was decided.
    pub(crate) config_epoch: ConfigEpoch,
}

/// A message that is not a hello.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NotAHello;

impl Hello {
    /// Reads a message.
    pub(crate) fn parse(text: &[u8]) -> Result<Hello, NotAHello> {
        let text = std::str::from_utf8(text).map_err(|_| NotAHello)?;
        let mut fields = text.split(',');
        let mut next = || fields.next().ok_or(NotAHello);
        let hello = Hello {
            addr: parse_addr(next()?, next()?)?,
            run_id: next()?.parse().map_err(|_| NotAHello)?,
            epoch: Epoch(parse_number(next()?)?),
            group: next()?.to_owned(),
            primary: parse_addr(next()?, next()?)?,
            config_epoch: ConfigEpoch(parse_number(next()?)?),
        };
        match fields.next() {
            None => Ok(hello),
            Some(_) => Err(NotAHello),
        }
    }

    /// Writes the message; names instead of addresses if `names`.
    pub(crate) fn format(&self, names: bool) -> String {
        format!(
            "{},{},{},{},{},{},{},{}",
            self.addr.shown(names),
            self.addr.port(),
            self.run_id,
            self.epoch,
            self.group,
            self.primary.shown(names),
            self.primary.port(),
            self.config_epoch
        )
    }
}

fn parse_number(text: &str) -> Result<u64, NotAHello> {
    text.parse().map_err(|_| NotAHello)
}

fn parse_addr(host: &str, port: &str) -> Result<Addr, NotAHello> {
    let plain = !host.is_empty() && host.len() < 256 && host.bytes().all(|b| b.is_ascii_graphic());
    match port.parse::<u16>() {
        Ok(port) if port != 0 && plain => Ok(Addr::new(host, port)),
        _ => Err(NotAHello),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "000102030405060708090a0b0c0d0e0f10111213";

    #[test]
    fn there_and_back() {
        let text = format!("127.0.0.1,26379,{ID},3,mymaster,127.0.0.1,6379,2");
        let hello = Hello::parse(text.as_bytes()).unwrap();
        assert_eq!(hello.format(false), text);
        assert_eq!(hello.epoch, Epoch(3));
        assert_eq!(hello.config_epoch, ConfigEpoch(2));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            String::new(),
            ",,,,,,,".into(),
            format!("127.0.0.1,26379,{ID},3,mymaster,127.0.0.1,6379"),
            format!("127.0.0.1,26379,{ID},3,mymaster,127.0.0.1,6379,2,9"),
            format!("127.0.0.1,0,{ID},3,mymaster,127.0.0.1,6379,2"),
            format!("127.0.0.1,26379,{ID},-3,mymaster,127.0.0.1,6379,2"),
            format!("127.0.0.1,26379,{ID},99999999999999999999,mymaster,127.0.0.1,6379,2"),
            format!("a b,26379,{ID},3,mymaster,127.0.0.1,6379,2"),
            "127.0.0.1,26379,xyz,3,mymaster,127.0.0.1,6379,2".into(),
        ] {
            assert_eq!(Hello::parse(bad.as_bytes()), Err(NotAHello), "{bad}");
        }
        assert_eq!(Hello::parse(b"\xff\xfe"), Err(NotAHello));
    }
}
