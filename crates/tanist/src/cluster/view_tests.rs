use super::*;

fn sentinel(port: u16) -> SentinelView {
    let others = [101, 102, 103].into_iter().filter(|p| *p != port);
    SentinelView {
        label: format!("sentinel-{}", port - 100),
        port,
        answers: true,
        primary: parse_addr("127.0.0.1", "1"),
        flags: "master".into(),
        replicas: [(2, "slave".to_owned()), (3, "slave".to_owned())].into(),
        sentinels: others.map(|p| (p, "sentinel".to_owned())).collect(),
        config_epoch: 4,
        pid: None,
    }
}

fn agreed() -> View {
    let node = |port: u16| NodeView {
        label: format!("node-{port}"),
        port,
        answers: true,
        role: if port == 1 { "primary" } else { "replica" }.into(),
        follows: (port != 1).then(|| parse_addr("127.0.0.1", "1").unwrap()),
        link: if port == 1 { "" } else { "up" }.into(),
        online: if port == 1 { vec![2, 3] } else { vec![] },
        ..NodeView::default()
    };
    View { nodes: (1..=3).map(node).collect(), sentinels: (101..=103).map(sentinel).collect() }
}

#[test]
fn all_of_one_mind() {
    assert_eq!(agreed().agreement(), Ok(parse_addr("127.0.0.1", "1").unwrap()));
}

/// After a failover sentinels show for seconds what others last said about the old primary.
#[test]
fn what_a_sentinel_said_before_is_no_disagreement() {
    let mut view = agreed();
    view.sentinels[0].sentinels.insert(103, "sentinel,master_down".to_owned());
    assert!(view.agreement().is_ok());
    view.sentinels[0].sentinels.insert(103, "s_down,sentinel,master_down".to_owned());
    assert!(view.agreement().is_err());
}

#[test]
fn who_loads_says_so() {
    let said = |lines: &[(&str, &str)]| {
        let mut node = NodeView { label: "node-1".into(), ..NodeView::default() };
        read_info(&mut node, &lines.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect());
        node
    };
    let loading = [
        ("role", "slave"),
        ("loading", "1"),
        ("loading_loaded_bytes", "42"),
        ("loading_loaded_perc", "41.7"),
    ];
    let node = said(&loading);
    assert_eq!((node.loads().as_deref(), node.progress), (Some("node-1 loads its data (42 %)"), 42));
    let mut view = agreed();
    view.nodes[2] = node;
    assert_eq!(view.agreement(), Err("node-1 loads its data (42 %)".into()));
    assert_eq!(said(&[("loading", "1")]).loads().as_deref(), Some("node-1 loads its data"));
    let node = said(&[("loading", "0"), ("master_sync_read_bytes", "7")]);
    assert_eq!((node.loads(), node.progress), (None, 7));
}

/// Each way of not agreeing is noticed, and named.
#[test]
fn every_disagreement_is_seen() {
    type Spoil = fn(&mut View);
    let cases: [(&str, Spoil); 10] = [
        ("names no primary", |v| v.sentinels[1].primary = None),
        ("different primaries", |v| v.sentinels[2].primary = parse_addr("127.0.0.1", "2")),
        ("does not answer", |v| v.nodes[2].answers = false),
        ("says idle", |v| v.nodes[0].role = "idle".into()),
        ("does not follow", |v| v.nodes[1].follows = parse_addr("127.0.0.1", "3")),
        ("not in sync", |v| v.nodes[1].link = "down".into()),
        ("1 of 2 replicas online", |v| v.nodes[0].online = vec![3]),
        ("master,s_down", |v| v.sentinels[0].flags = "master,s_down".into()),
        ("does not know sentinel-3", |v| drop(v.sentinels[0].sentinels.remove(&103))),
        ("another configuration epoch", |v| v.sentinels[2].config_epoch = 5),
    ];
    for (expected, spoil) in cases {
        let mut view = agreed();
        spoil(&mut view);
        let reason = view.agreement().unwrap_err();
        assert!(reason.contains(expected), "{reason:?} should say {expected:?}");
    }
}

#[test]
fn reads_a_primary_and_a_replica() {
    let info = |text: &str| -> BTreeMap<String, String> {
        text.lines().filter_map(|l| l.split_once(':')).map(|(k, v)| (k.into(), v.into())).collect()
    };
    let mut primary = NodeView::default();
    let text = "role:master\nslave0:ip=127.0.0.1,port=7002,state=online,offset=9,lag=0\n\
                slave1:ip=127.0.0.1,port=7003,state=wait_bgsave,offset=0,lag=0\nmaster_repl_offset:12\n\
                slave_expires_tracked_keys:0\nredis_version:7.0.15";
    read_info(&mut primary, &info(text));
    assert_eq!((primary.role.as_str(), primary.offset, primary.online), ("primary", Some(12), vec![7002]));
    assert_eq!(primary.version, "redis 7.0.15");
    let mut replica = NodeView::default();
    let text = "role:slave\nmaster_host:127.0.0.1\nmaster_port:7001\nmaster_link_status:up\n\
                slave_repl_offset:9\nmaster_repl_offset:9";
    read_info(&mut replica, &info(text));
    assert_eq!((replica.role.as_str(), replica.offset, replica.link.as_str()), ("replica", Some(9), "up"));
    assert_eq!(replica.follows, parse_addr("127.0.0.1", "7001"));
}
