// Package tally is what a swarm counts while a run goes on, how that adds up over loops,
// processes and machines, and how it becomes a result.Result.
//
// There is one way from counts to a Result: Fill, of Counters for a second that has passed, and of
// a Tally for a run that is over. Merge reads results back into tallies, adds those, and fills a
// result again.
//
// All types are owned by one goroutine. They go between processes by encoding/gob, which is why
// their fields are public; the format is that of one build.
package tally
