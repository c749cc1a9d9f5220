//! The plot of time against size: `docs/zrank.svg`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::cpu::RANKED;
use super::table::{Results, median};
use crate::shell::root;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Where the axes are.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 364.0;
/// Colours that differ in brightness, too; ours comes first.
const COLOURS: [&str; 5] = ["#0b5fa5", "#c2410c", "#3f7d20", "#7a4fa3", "#6b7280"];

/// What is plotted: the beginning of its rows, its name, the dashes of its lines.
const COMMANDS: [(&str, &str, &str); 2] = [("zrank", "ZRANK", ""), ("zrange", "ZRANGE of one rank", "6 4")];

/// Draws what was measured, if it was; `own` comes first.
pub(crate) fn write(results: &Results, own: &str) -> Result<()> {
    let Some(svg) = draw(results, own) else { return Ok(()) };
    let path = root().join("docs/zrank.svg");
    fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))
}

/// Points of one line: the exponent of the size, and microseconds.
type Line = Vec<(u32, f64)>;

fn draw(results: &Results, own: &str) -> Option<String> {
    let mut lines: BTreeMap<(bool, &str), [Line; 2]> = BTreeMap::new();
    for (which, (prefix, ..)) in COMMANDS.iter().enumerate() {
        for exponent in RANKED {
            for (who, values) in results.row(&format!("{prefix}-1e{exponent}")).into_iter().flatten() {
                lines.entry((who != own, who)).or_default()[which].push((exponent, median(values)));
            }
        }
    }
    let most = lines.values().flatten().flatten().map(|point| point.1).fold(0.0, f64::max);
    if most == 0.0 {
        return None;
    }
    let step = if most > 10.0 { 5.0 } else { 1.0 };
    let top = (most / step).ceil() * step;
    let y = |us: f64| BOTTOM - (BOTTOM - TOP) * us / top;
    let mut svg = frame(step, top, &y);
    for (number, ((_, who), of_commands)) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        for ((_, name, dashes), line) in COMMANDS.iter().zip(of_commands) {
            let points: Vec<String> =
                line.iter().map(|&(e, us)| format!("{:.1},{:.1}", x(e), y(us))).collect();
            let _ = writeln!(
                svg,
                r#"<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" points="{}"><title>{who}, {name}</title></polyline>"#,
                points.join(" ")
            );
        }
        let at = TOP + 12.0 + 22.0 * number as f64;
        legend(&mut svg, at, colour, "", who);
    }
    for (number, (_, name, dashes)) in COMMANDS.iter().enumerate() {
        let at = TOP + 24.0 + 22.0 * (lines.len() + number) as f64;
        legend(&mut svg, at, "#444", dashes, name);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn x(exponent: u32) -> f64 {
    let (from, to) = (f64::from(*RANKED.start()), f64::from(*RANKED.end()));
    LEFT + (RIGHT - LEFT) * (f64::from(exponent) - from) / (to - from)
}

/// Background, axes and their numbers.
fn frame(step: f64, top: f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
"##
    );
    let mut text = |x: f64, y: f64, anchor: &str, text: &str| {
        let _ = writeln!(
            svg,
            r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#222">{text}</text>"##
        );
    };
    let mut grid = String::new();
    let mut us = 0.0;
    while us <= top {
        text(LEFT - 8.0, y(us) + 4.0, "end", &format!("{us}"));
        let _ = writeln!(grid, r##"<path d="M{LEFT} {0:.1}H{RIGHT}" stroke="#ddd"/>"##, y(us));
        us += step;
    }
    for exponent in RANKED {
        text(
            x(exponent),
            BOTTOM + 20.0,
            "middle",
            &format!("10<tspan dy=\"-5\" font-size=\"9\">{exponent}</tspan>"),
        );
        let _ = writeln!(grid, r##"<path d="M{0:.1} {TOP}V{BOTTOM}" stroke="#eee"/>"##, x(exponent));
    }
    text((LEFT + RIGHT) / 2.0, BOTTOM + 44.0, "middle", "members of the sorted set");
    text(LEFT - 40.0, TOP - 8.0, "start", "µs of server CPU per command, pipeline 100");
    svg + &grid
}

fn legend(svg: &mut String, at: f64, colour: &str, dashes: &str, text: &str) {
    let (from, to) = (RIGHT + 24.0, RIGHT + 54.0);
    let _ = writeln!(
        svg,
        r##"<path d="M{from} {at}H{to}" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/><text x="{}" y="{}" fill="#222">{text}</text>"##,
        to + 8.0,
        at + 4.0
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_has_a_line_per_command() {
        let mut results = Results::default();
        assert_eq!(draw(&results, "ours"), None, "nothing was measured");
        for exponent in RANKED {
            for (who, us) in [("a peer", 2.0), ("ours", 1.0)] {
                results.add(&format!("zrank-1e{exponent}"), who, us * f64::from(exponent));
            }
        }
        let svg = draw(&results, "ours").unwrap();
        assert_eq!(svg.matches("<polyline").count(), 4);
        let (ours, theirs) =
            (svg.find("<title>ours, ZRANK<").unwrap(), svg.find("<title>a peer, ZRANK<").unwrap());
        assert!(ours < theirs, "ours comes first");
        // Fourteen microseconds are the most, so the scale ends at fifteen.
        assert!(svg.contains(&format!("{RIGHT:.1},{:.1}", BOTTOM - (BOTTOM - TOP) * 7.0 / 15.0)), "{svg}");
    }
}
