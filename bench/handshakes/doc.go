// Package handshakes makes TLS handshakes in a row, as many at a time as it is told, and measures them. It is
// closed loop: the next one begins when one has ended, so that a server is as busy as it can be and
// its rate is what is measured.
//
//	seen, err := handshakes.Run(ctx, handshakes.Config{Targets: targets, TLS: config, Open: 256}, 10*time.Second)
//
// Both ends of a handshake cost about the same: on one machine the clients take half of it, and the
// servers' own processor time says more than the rate (result.Handshake).
package handshakes
