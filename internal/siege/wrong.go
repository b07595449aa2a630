package siege

import (
	"context"

	"github.com/stormwheel/stormwheel/codec"
)

// Who says what no client may: First as the first word, Later with a session.
var (
	HugeHello     = Says("huge hello", codec.CodeFrameTooLarge, Header(codec.Hello, 1<<31))
	HugeFrame     = JoinsAndSays("huge frame", codec.CodeFrameTooLarge, Header(codec.Send, 1<<32-1))
	LongHello     = Says("long hello", codec.CodeFrameTooLarge, Header(codec.Hello, codec.MaxPayloadBeforeAuth+1)) // by a byte
	LongFrame     = JoinsAndSays("long frame", codec.CodeFrameTooLarge, Header(codec.Send, codec.MaxPayload+1))
	UnknownFirst  = Says("unknown type first", codec.CodeProtocolError, Unknown)
	UnknownLater  = JoinsAndSays("unknown type later", codec.CodeProtocolError, Unknown)
	FlagsFirst    = Says("reserved flags first", codec.CodeProtocolError, reservedFlags)
	FlagsLater    = JoinsAndSays("reserved flags later", codec.CodeProtocolError, reservedFlags)
	NibbleFirst   = Says("reserved nibble first", codec.CodeProtocolError, reservedNibble)
	NibbleLater   = JoinsAndSays("reserved nibble later", codec.CodeProtocolError, reservedNibble)
	ChecksumFirst = Says("bad checksum first", codec.CodeBadChecksum, corrupt(Hello("x", "")))
	ChecksumLater = JoinsAndSays("bad checksum later", codec.CodeBadChecksum, corrupt(Ping))
	ReversedAck   = JoinsAndSays("reversed ack", codec.CodeProtocolError, ackBackwards)
	Stranger      = Says("another protocol", codec.CodeProtocolError, []byte("GET / HTTP/1.1\r\n\r\n"))
)

// Says is an enemy that connects, says b and listens.
func Says(name string, code codec.Code, b []byte) Enemy {
	return Enemy{name, code, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Dial(ctx); err != nil {
			return 0, err
		}
		p.Write(b) // what counts is how it is answered
		return p.End()
	}}
}

// JoinsAndSays is Says with a session.
func JoinsAndSays(name string, code codec.Code, b []byte) Enemy {
	return Enemy{name, code, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Join(ctx); err != nil {
			return 0, err
		}
		p.Write(b)
		return p.End()
	}}
}
