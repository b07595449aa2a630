package reactor

import "time"

// Config is what a reactor goes by. All of it is set, and nothing is written any more: what may
// change comes with another one (Reactor.Tune).
type Config struct {
	Tick           time.Duration // resolution of every deadline
	Heartbeat      time.Duration // how often clients are told to speak
	Timeout        time.Duration // the silence after which a client is evicted
	HelloTimeout   time.Duration // from the connection to a complete HELLO
	PartialTimeout time.Duration // within which a frame must be complete or have progressed
	WriteTimeout   time.Duration // within which the peer must take some of what it is sent
	AuthTimeout    time.Duration // within which it must be known who a client is
	MaxWindow      time.Duration // of the reconnect window; may change

	MaxFrame   int // bytes of a payload, both ways
	MaxQueued  int // bytes that may wait for one client
	SoftQueued int // bytes beyond which optional messages are dropped; negative: they never are

	// These may change, too.
	MaxFrameRate   int    // frames a second of one client; negative: no bound
	MaxByteRate    int    // bytes a second of one client; negative: no bound
	UnsettledBytes int    // of SENDs that are not settled, as clients are told; negative: no bound
	Alternates     []byte // addresses of other nodes, with commas between them
}
