// Package scrape reads chosen series of a server's own metrics while a run goes on, in Prometheus's text format.
//
//	chosen, err := scrape.Parse("http://127.0.0.1:9100/metrics,go_goroutines,load=node_load1")
//	targets, err := scrape.Open(ctx, []scrape.Chosen{chosen}, nil)  // reads each once
//	all := scrape.Start(targets, clock, tell)
//	figures, series := all.Stop()
//
// A target that cannot be read is an error before the run, and never after: a reading that fails is counted, told
// once, and a gap in the series.
package scrape
