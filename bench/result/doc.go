// Package result is one run of `stormwheel bench` as one JSON object: what was measured, what
// was promised of it, and the verdict. It is plain data. It knows no run and no swarm, so that
// whoever draws, judges, merges or reads results imports nothing else of ours.
//
//	r, err := result.Parse(text)
//	...
//	fmt.Println(r.Verdict, r.Storm.T99S)
//	r.WriteSummary(os.Stderr)
//	os.Exit(result.ExitCode(r.Err()))
//
// Each field's comment says what it counts, docs/BENCH.md and docs/bench-result.schema.json say it again for
// readers of the JSON; tests hold them together.
//
// Nothing here is safe for concurrent use, as nothing is of a plain struct.
package result
