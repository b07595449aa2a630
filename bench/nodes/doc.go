// Package nodes is the servers of a run: nodes of ours that it has spawned, and can freeze,
// throttle, kill, ask to end and start again, or targets that it was told. Either way they are
// sampled once a second, as far as anything is known of them: what their processes cost, and
// what they say of themselves.
//
//	servers, err := nodes.Spawn(ctx, child.Program{Argv: argv}, 2, flags, died)
//	defer servers.Stop()
//	servers.Kill(servers.Nodes[0])
//
// It knows nothing of clients.
package nodes
