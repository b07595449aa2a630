package hook

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"
	"time"
)

// maxKept bounds the answers that are kept. One takes about 100 bytes.
const maxKept = 16384

// cache keeps answers about policies for as long as the back end allows.
type cache struct {
	mu   sync.Mutex
	kept map[key]kept
}

// key names a question by what may be repeated: who asks, as the back end let him in, what and about whom.
// The content and the time of a message are not in it.
type key [sha256.Size]byte

type kept struct {
	verdict error
	until   time.Time
}

func (c *cache) init() { c.kept = make(map[key]kept) }

func keyOf(kind string, w wish) key {
	var text strings.Builder
	member := ""
	if w.Member != nil && *w.Member {
		member = "m"
	}
	for _, part := range []string{kind, w.Client, w.User, string(w.Data), w.Question, w.ToUser, w.OfUser, w.Room, member} {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(part)))
		text.Write(size[:])
		text.WriteString(part)
	}
	return sha256.Sum256([]byte(text.String()))
}

func (c *cache) find(k key, now time.Time) (verdict error, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, known := c.kept[k]
	if known && !now.Before(a.until) {
		delete(c.kept, k)
		known = false
	}
	return a.verdict, known
}

// keep makes room by forgetting any other: all of them can be asked again.
func (c *cache) keep(k key, verdict error, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.kept[k]; !known && len(c.kept) >= maxKept {
		for other := range c.kept {
			delete(c.kept, other)
			break
		}
	}
	c.kept[k] = kept{verdict, until}
}

func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept)
}
