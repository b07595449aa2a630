// Package bench loads Stormwheel nodes with very many clients and judges what they did:
// heartbeats and their round trips, the eviction of silent clients, the return of clients
// whose node died.
//
//	r, err := bench.Run(ctx, bench.Config{
//		Scenario: "storm", Kind: "kill", Spawn: 2, Conns: 8000,
//		Heartbeat: 2 * time.Second, Timeout: 5 * time.Second,
//	}, bench.View{Progress: os.Stderr})
//	if r != nil {
//		r.WriteJSON(os.Stdout)
//	}
//	os.Exit(result.ExitCode(err))
//
// # Rooms
//
// A run is made in the packages below this one, each of which knows only those after it: scenario
// (what is played), fleet (the clients) and nodes (the servers), swarm (very many clients in one
// process), foreign, payload and epoll (what they speak and carry, and over what), tally (what is counted), and result
// (what becomes of it). Here they come together: Run, Check, Work, and the search of find-max.
//
// # What it is, and is not
//
// Every client is a link of internal/link, the same state machine that package client
// drives, over a non-blocking socket of a few epoll loops; timers are a timingwheel. A
// ready and heartbeating client takes about 500 bytes of user memory, and no goroutine.
// It runs on Linux; elsewhere Run says so. One process holds as many clients as its
// descriptor limit allows; Run says which limit stands in the way, and how to raise it,
// before it begins.
//
// Run may be called by one goroutine at a time per process: kernel counters and the cost
// of the process are of the whole. It starts goroutines and processes and ends them all
// before it returns. Alternates that a server names must be IP addresses, and on this
// machine unless Config.IOwnTheTarget.
//
// Targets may speak another protocol (Config.Protocol). The clients are the same links
// then; a translator turns their frames into what the server speaks, and back, where the
// bytes go to the socket and come from it. WELCOME, PING and GOAWAY below then stand for
// what means the same there.
//
// # Open loop
//
// When each client connects is drawn from the seed before the run; a server that is slow
// to accept does not slow the arrivals down. Round trips are those of the wire, from the
// write() of a PING (rtt_ms), and beside it from the moment when it was due, with those that
// were due while it was waited for (intended_rtt_ms). Whoever was asked and did not answer by
// the end counts, with as long as it was waited for. How late the generator itself was is
// measured with every timer, from the moment when it could know (generator.late_ms); with a
// p99 above 20 ms the verdict is "invalid", since its figures are then partly its own.
//
// Messages (Config.Send) are due at times of the seed's, whatever becomes of those before; each counts
// from when it was due, also if it had to wait for a session, and none is left out. Publications
// (Config.Deliver) are due at moments that both ends know (payload.Schedule), so that a client knows which
// it did not get.
//
// Users who talk (scenario talk) send messages to each other, through nodes that run package messaging. Each client keeps
// a word for each message that it sent and a bit for each that it had (tally.Ledger); at the end they are laid side by
// side, so that what was acknowledged and is nowhere is found, whatever the nodes say.
//
// # Words
//
// Package result documents every field; these are the ones that are easily misread.
//
//   - ready: WELCOME was read, and neither side has closed since.
//   - silent (mute): keeps its socket, reads, and has stopped speaking at once. It does
//     not come back when it is evicted.
//   - lateness: the close as seen, minus just before the write() of the last complete
//     frame, minus the timeout that the session's terms named. So a correct server is
//     never early. It holds the way to the server, its two ticks, and our own delay in
//     reading, which generator.late_ms bounds.
//   - false eviction: a living client that was closed with "heartbeat_timeout", or without
//     a word, though a complete frame had been written within the timeout. If none had, or
//     the write took so long that nobody can tell, it is a generator_fault, and the run is
//     invalid. A GOAWAY with another code is a loss, but no eviction.
//   - t0: just before the signal was sent. storm.clients: those that lost a ready session
//     from then on. back: the first PONG after the WELCOME of the last return. The PING
//     for it is sent at that WELCOME, so that no heartbeat interval is counted in.
//   - attempts: every connect() after t0, of any client, refused ones included.
//   - ideal_s: storm.clients by what the remaining nodes admit per second, which is
//     --node-arg admit-rate for spawned ones and --capacity for others; in a drain, its pace.
//   - kernel: what the network namespace counted, whoever caused it.
//
// A section or figure that makes no sense in a scenario is null: storm outside of storms,
// percentiles and lateness of nothing, what cannot be known of a server that was not
// spawned.
//
// # Verdict and exit code
//
// Thresholds are PATH OP NUMBER over the JSON, as in `storm.t99_s<30` or
// `server.0.rss_bytes<2e8`, or of a part of the run, as in `heartbeat.rtt_ms.p99[steady]<50`. They add to what
// the scenario promises, so that every run can fail. A value that is null or missing fails its threshold; a path that
// cannot exist is a usage error before the run.
//
// Run returns nil or an *ExitError whose Code is the command's exit code: 0 pass, 99 a
// threshold failed, 4 invalid (this comes before 99), 2 usage, 3 impossible on this
// machine, 130 interrupted (with the result so far), 1 anything else.
package bench
