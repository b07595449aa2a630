package peer

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// wireVersion is the first byte of every message. A message of another version is dropped.
const wireVersion = 1

// kind is the second byte. A message of a kind that is not known is dropped: it is of a later version,
// which does not expect that all understand it.
type kind uint8

const (
	kindNode     kind = iota + 1 // sw.n: how its sender is doing
	kindClaims                   // sw.all; sw.to.<node> as an answer: numbered logins and logouts
	kindAsk                      // sw.to.<node>: which claims there were since a number
	kindWant                     // sw.to.<node>: which sessions there are
	kindList                     // sw.to.<node>: sessions
	kindAgain                    // sw.to.<node>: logins that are later than those which the receiver claimed
	kindToHub                    // sw.to.<node>: a hub's message
	kindToHubs                   // sw.all: a hub's message
	kindRegister                 // sw.to.<node>: what the receiver is a home of, or follows
	kindTook                     // sw.to.<node>: so far that has come
	kindsKnown
)

var kindNames = [...]string{kindNode: "NODE", kindClaims: "CLAIMS", kindAsk: "ASK", kindWant: "WANT", kindList: "LIST",
	kindAgain: "AGAIN", kindToHub: "TO-HUB", kindToHubs: "TO-HUBS", kindRegister: "REGISTER", kindTook: "TOOK"}

// directed says that a message of the kind was sent to this node alone: its sender hears it.
func (k kind) directed() bool {
	return k == kindAsk || k == kindWant || k == kindList || k == kindAgain || k == kindToHub || k == kindRegister || k == kindTook
}

// Why a message is not taken.
var (
	errVersion   = errors.New("peer: another version of the wire")
	errMalformed = errors.New("peer: malformed")
)

// header is what every message begins with.
type header struct {
	kind  kind
	epoch uint64
	name  []byte // of the sender
}

// headerLen is a header's length without the name.
const headerLen = 11

func appendHeader(dst []byte, k kind, epoch uint64, name string) []byte {
	dst = append(dst, wireVersion, byte(k))
	dst = binary.BigEndian.AppendUint64(dst, epoch)
	dst = append(dst, byte(len(name)))
	return append(dst, name...)
}

// parseHeader returns what follows it. An unknown kind is no error: its header can be read.
func parseHeader(b []byte) (h header, rest []byte, err error) {
	switch {
	case len(b) > 0 && b[0] != wireVersion:
		return h, nil, errVersion
	case len(b) < headerLen || len(b) > MaxMessage || len(b) < headerLen+int(b[10]):
		return h, nil, errMalformed
	}
	h = header{kind(b[1]), binary.BigEndian.Uint64(b[2:]), b[headerLen : headerLen+int(b[10])]}
	if h.epoch == 0 || !validNode(h.name) {
		return h, nil, errMalformed
	}
	return h, b[headerLen+len(h.name):], nil
}

// validNode is ValidNode for bytes that were received.
func validNode(name []byte) bool {
	if len(name) == 0 || len(name) > MaxNode {
		return false
	}
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRune(name[i:])
		if !inNode(r) {
			return false
		}
		i += size
	}
	return true
}

// question is the body of ASK and WANT.
type question struct {
	epoch  uint64 // of the node that is asked: an answer of another run is none
	since  uint64 // number of the first claim, or the least number of a session's
	cursor uint32 // WANT: where the next sessions begin; 0: from the first
}

const (
	askLen  = 16
	wantLen = 20
)

func appendQuestion(dst []byte, k kind, q question) []byte {
	dst = binary.BigEndian.AppendUint64(dst, q.epoch)
	dst = binary.BigEndian.AppendUint64(dst, q.since)
	if k == kindWant {
		dst = binary.BigEndian.AppendUint32(dst, q.cursor)
	}
	return dst
}

// parseQuestion reads either. Later versions may put more behind it.
func parseQuestion(k kind, b []byte) (q question, err error) {
	if len(b) < askLen || k == kindWant && len(b) < wantLen {
		return q, errMalformed
	}
	q.epoch, q.since = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	if k == kindWant {
		q.cursor = binary.BigEndian.Uint32(b[16:])
	}
	if q.epoch == 0 || q.since == 0 {
		return q, errMalformed
	}
	return q, nil
}
