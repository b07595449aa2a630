package tlsrecord

import (
	"math"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// maxWhole is how long a record may be to be opened the short way: one that does not open is tried a second time.
const maxWhole = 512

// Whole opens wire if it is one record of data, that of a heartbeat or of a short message, as transport.Quick does.
// Whatever else there is about a record, Open finds it.
func (l *Layer) Whole(s transport.Slot, plain, wire []byte) (opened []byte, ok bool) {
	c, p := l.find(s)
	if c == nil || len(wire) < headerBytes || len(wire) > maxWhole || wire[0] != typeData ||
		int(wire[3])<<8|int(wire[4]) != len(wire)-headerBytes {
		return plain, false
	}
	if c.seq[incoming] == math.MaxUint64 || len(l.parts) > 0 && len(l.parts[s]) > 0 {
		return plain, false
	}
	all, err := l.aead(c, p, incoming).Open(plain, c.nonce(incoming, &l.nonce), wire[headerBytes:], wire[:headerBytes])
	if err != nil {
		return plain, false
	}
	last := len(all) - 1 // that there is padding, Open finds
	if last <= len(plain) || all[last] != typeData {
		return plain, false
	}
	c.seq[incoming]++
	c.tookData()
	return all[:last], true
}
