// Package prom shows a node's counters to Prometheus. It is apart from package server so
// that an embedder who has other metrics does not link the Prometheus client.
//
//	registry := prometheus.NewRegistry()
//	registry.MustRegister(prom.NewCollector(srv))
//	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
//
// Nothing is counted twice: each scrape reads Server.Stats, which waits for no event
// loop. The only label is the reason of a close, from the closed set of server.Reason;
// no address and no client id ever becomes one.
package prom
