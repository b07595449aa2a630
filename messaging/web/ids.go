package web

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/messaging"
)

// ids names the messages of this process.
type ids struct {
	sender      string
	incarnation uint64
	number      *atomic.Uint64
}

func newIDs(sender string) ids {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return ids{sender, binary.BigEndian.Uint64(b[:]), new(atomic.Uint64)}
}

func (i *ids) next() messaging.ID {
	return messaging.ID{Sender: i.sender, Incarnation: i.incarnation, Number: i.number.Add(1)}
}

// ofKey is the id of all messages of one key to one path, on any node and in any run: receivers that know it
// drop the second. The number is one that JSON's readers keep.
func (i *ids) ofKey(key digest) messaging.ID {
	return messaging.ID{Sender: i.sender, Incarnation: binary.BigEndian.Uint64(key[:]), Number: binary.BigEndian.Uint64(key[8:])>>11 | 1}
}

// messageID is an id as JSON has it.
type messageID struct {
	Sender      string `json:"sender"`
	Incarnation string `json:"incarnation"` // 16 hexadecimal digits
	Number      uint64 `json:"number"`
}

func idOf(id messaging.ID) messageID {
	return messageID{id.Sender, fmt.Sprintf("%016x", id.Incarnation), id.Number}
}

const maxKey = 255 // bytes

// key reads the header Idempotency-Key, in quotes, as draft-ietf-httpapi-idempotency-key-header has it, or
// without.
func (c *call) key() (key string, err error) {
	switch all := c.r.Header.Values("Idempotency-Key"); len(all) {
	case 0:
		return "", nil
	case 1:
		key = all[0]
	default:
		return "", failure(codeBadRequest, "The header Idempotency-Key is there twice.")
	}
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", failure(codeBadRequest, "The header Idempotency-Key needs 1 to %d characters of ASCII.", maxKey)
	}
	return key, nil
}
