// Package siege is enemies of a node, and well-behaved clients beside them, over TCP: for tests
// and for the laboratory. It knows the protocol and nothing of the node, which may be any
// process at an address.
//
//	target := &siege.Target{Addr: addr, HelloTimeout: time.Second, PartialTimeout: time.Second, FrameRate: 200}
//	crowd := siege.Gather(ctx, target)
//	err := siege.SlowHello.Play(ctx, target) // nil: the node ended it as it must
//	fmt.Println(err, crowd.Leave())
//
// Every enemy is bounded in time by the target's patience and by ctx, and in what it says; a play
// leaves neither goroutine nor connection behind.
//
// # The enemies
//
// Those who keep it waiting (slow.go) must be cut off at their deadline, neither before nor long
// after: slow hello and slow frame dribble a byte at a time; silent connects, and that is all;
// half a hello and half a frame are half-open in the protocol's sense, and say no more.
//
// Those who say what no client may (wrong.go) must be told why at once: huge hello and huge frame
// declare 2 and 4 GiB, long hello and long frame a byte more than allowed; unknown type, reserved
// flags, reserved nibble and bad checksum come first, as the first word, or later, with a
// session; reversed ack is a range that goes backwards; another protocol speaks HTTP.
//
// Those who say too much (loud.go) must be cut off at the rate: too many pings, too many empty
// frames and too many acks, of all numbers that there are, stop in time to read why; ping flood,
// empty flood, ack flood, nack flood, of what was never sent, and message flood do not.
//
// Those who do not read (deaf.go) must be cut off: never reads is pushed to without end, stalls
// is sent a little and goes on to ping. They need a node whose application is an App.
//
// Those who end what they have begun (gone.go) must cost nothing: reset at once, reset after
// garbage, reset after hello; half closed at once, half closed after hello and half closed in
// hello, which stay and must be closed at once.
//
// Those who have no right to what they ask for (login.go) must be refused: token of another id,
// forged token, expired token, no token; twin logs in as all others of its kind do.
//
// # The others
//
// A Crowd tells how well-behaved clients fare; an Assault has all enemies at once beside one. A
// Rush is many clients of one address at once, who then may Beat. Whoever needs another peer has
// Peer, and the frames of frames.go.
package siege
