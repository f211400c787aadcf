//! What the benchmarks share: the processor's clock and verdicts.

/// Rounds of which the median counts.
pub const ROUNDS: usize = 5;

/// The median of some rounds, in seconds of this thread's processor time: other
/// work on the machine is not counted.
pub fn median(mut round: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = processor();
            round();
            processor() - started
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Seconds that this thread has run, as Linux counts them.
pub fn processor() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    spent.split(' ').next().and_then(|text| text.parse::<f64>().ok()).expect("a number") / 1e9
}

/// Prints a figure beside its target.
pub fn verdict(what: &str, is: f64, target: f64, at_least: bool) {
    let met = if at_least { is >= target } else { is <= target };
    println!("  {what:<44}{is:>9.2}  target {target}: {}", if met { "met" } else { "MISSED" });
}
