// Package handshake is TLS 1.3 as a stage of package transport: crypto/tls does the handshake, away
// from the loop, and package tlsrecord seals and opens from then on. It is not pure, as crypto/tls is
// not: that reads the clock and draws at random.
//
//	config, err := handshake.NewConfig(tlsConfig, secret) // one a node
//	number, err := config.Add(tlsConfig)                  // one more, for a listener that has its own
//	stage := handshake.NewServer(config, peer)            // one a loop; peer tells where one is, and which it is shown
//	stage := handshake.NewClient(tlsConfig, now)
//
// # Why it is like this
//
// A *tls.Conn that idles is 6.6 KB, and wants a goroutine to read it. After the handshake none is
// left: its secrets come through tls.Config.KeyLogWriter, whose format is documented, of a copy of
// the configuration for this one connection.
//
// crypto/tls reads one record at a time of what has come, and never beyond one: so it has taken
// nothing behind the peer's Finished, and the record layer begins there with the number zero. What
// it has sealed itself behind our Finished (tickets) is counted by opening what it wrote.
//
// A handshake is a coroutine that stands still while it waits for its peer: it runs on the
// goroutine that does the stage's work, and holds none, nor a thread, in between. It begins when
// the whole ClientHello is there.
//
// TLS 1.2, which AllowTLS12 lets in, has no secrets of that kind and another record layer: its *tls.Conn
// stays, without a goroutine, and is read as its handshake was.
//
// A connection whose handshake waits for its peer costs some 30 KB. So these are bounded by a
// number and by bytes, for the node and for each address; beyond it nobody begins (Config.MayBegin)
// until the one that made no progress for longest has had a second, and is given up. Its connection ends when it says something, or by the deadline that
// every login has.
package handshake
