// Package payload is what the messages of a load test hold: their size, as flags say it, and a body
// that says which message it is and when it was due, on a clock that both ends share.
//
//	body := make([]byte, size)
//	payload.Put(body, payload.Message{Kind: payload.Sent, Number: 1, Due: due})
//	...
//	m, ok := payload.Parse(body)
//
// The load test and the nodes of `serve --publish` import it; nothing else of a load test is
// known to a node.
//
// The clock is CLOCK_MONOTONIC: it is the same for all processes of a machine and is never set, as the
// wall clock may be in the middle of a run. It says nothing to another machine, so that times of
// publications are for nodes on the machine of the load test.
package payload
