package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Seals makes and checks what a node hands to clients and wants to recognise later. A
// seal is HMAC-SHA256, cut to 128 bits, over a purpose, the values and the client's id: it
// can be neither forged nor used by another client. Any goroutine may use it.
type Seals struct {
	own     sealer                   // random per start: tickets are good for this node and this run only
	alone   sealer                   // random per start: takes the place of the cluster's where there are none
	cluster atomic.Pointer[[]sealer] // shared by the nodes, so that one knows the other's clients; the first seals

	mu      sync.Mutex
	used    [2]map[uint32]struct{} // tickets redeemed in this and the last period, by the start of their seals
	rotated time.Duration
}

const (
	keyLen    = 32
	keyIDLen  = 4
	sealLen   = 16
	ticketLen = 8 + sealLen                     // slot in nanoseconds since the start, seal
	passLen   = keyIDLen + 8 + 16 + 8 + sealLen // key id, end in Unix seconds, session, stamp of its login, seal

	// MaxSealLen is the length of the longest that Ticket and Pass write.
	MaxSealLen = passLen
	// ticketGrace is how long after its slot a ticket is good.
	ticketGrace = 10 * time.Second
)

// NewSeals uses the first of secrets for what other nodes must understand, and understands what was
// sealed with any of them; without one, a key of random.
func NewSeals(secrets [][]byte, random io.Reader) *Seals {
	s := &Seals{own: newSealer(randomBytes(random, keyLen)), alone: newSealer(randomBytes(random, keyLen))}
	s.SetSecrets(secrets)
	s.used[0] = make(map[uint32]struct{})
	return s
}

// SetSecrets changes the secrets, as NewSeals takes them. What was sealed with one that is there no
// more is not understood any more.
func (s *Seals) SetSecrets(secrets [][]byte) {
	cluster := make([]sealer, 0, max(1, len(secrets)))
	for _, secret := range secrets {
		cluster = append(cluster, newSealer(secret))
	}
	if len(cluster) == 0 {
		cluster = append(cluster, s.alone)
	}
	s.cluster.Store(&cluster)
}

// sealer seals with one key. What a seal needs is kept for the next: a crowd that comes
// back would leave ten objects of garbage a client between those that stay.
type sealer struct {
	id   [keyIDLen]byte // names the key in what leaves the node; it follows from the key
	idle *sync.Pool
}

type sealing struct {
	mac     hash.Hash
	in, sum []byte
}

func newSealer(key []byte) sealer {
	sum := sha256.Sum256(append([]byte("stormwheel pass key 1"), key...))
	return sealer{[keyIDLen]byte(sum[:]), &sync.Pool{New: func() any { return &sealing{mac: hmac.New(sha256.New, key)} }}}
}

// seal covers a purpose, values of a length that is fixed for the purpose, so that nothing
// runs together, and the client's id.
func (s sealer) seal(purpose string, values, clientID []byte) (sum [sealLen]byte) {
	w := s.idle.Get().(*sealing)
	w.in = append(append(append(w.in[:0], purpose...), values...), clientID...)
	w.mac.Reset()
	w.mac.Write(w.in)
	w.sum = w.mac.Sum(w.sum[:0])
	copy(sum[:], w.sum)
	s.idle.Put(w)
	return sum
}

// open checks the seal at the end of b and returns what it covers.
func (s sealer) open(purpose string, b []byte, size int, clientID []byte) (values []byte, ok bool) {
	if len(b) != size {
		return nil, false
	}
	values = b[:size-sealLen]
	want := s.seal(purpose, values, clientID)
	return values, hmac.Equal(b[size-sealLen:], want[:])
}

// Ticket writes to dst what admits the client at its slot, a time since the node's start.
func (s *Seals) Ticket(dst []byte, slot time.Duration, clientID []byte) []byte {
	b := binary.BigEndian.AppendUint64(dst[:0], uint64(slot))
	sum := s.own.seal("ticket", b, clientID)
	return append(b, sum[:]...)
}

// Redeem says whether ticket admits the client now, and spends it. A client may be a
// little early: clocks and timers are.
func (s *Seals) Redeem(now time.Duration, ticket, clientID []byte) (number uint32, ok bool) {
	values, ok := s.own.open("ticket", ticket, ticketLen, clientID)
	if !ok {
		return 0, false
	}
	slot := time.Duration(binary.BigEndian.Uint64(values))
	if early := slot - now; early > 100*time.Millisecond || -early > ticketGrace {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	number = binary.BigEndian.Uint32(ticket[ticketLen-sealLen:])
	for _, used := range s.used {
		if _, found := used[number]; found {
			return 0, false
		}
	}
	s.used[0][number] = struct{}{}
	return number, true
}

// Restore makes a ticket good again whose client did not get in after all.
func (s *Seals) Restore(number uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, used := range s.used {
		delete(used, number)
	}
}

// rotate forgets tickets that are too old to be shown again.
func (s *Seals) rotate(now time.Duration) {
	if now-s.rotated > ticketGrace+time.Second {
		s.used[1], s.used[0] = s.used[0], make(map[uint32]struct{})
		s.rotated = now
	}
}

// Tidy gives the memory back once a crowd is in. It is to be called about once a tick.
func (s *Seals) Tidy(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.used[0])+len(s.used[1]) > 0 {
		s.rotate(now)
	}
}

// Pass writes to dst what lets the client show, here or at another node that knows the same
// secret, that it had a session. That is no credential: it is good for a place in the queue. It
// names the secret, so that another can take its place while clients hold passes of the old one. It carries
// the stamp of the session's login, which orders the logins of a cluster: the next is to be later.
func (s *Seals) Pass(dst []byte, end time.Time, id codec.SessionID, stamp uint64, clientID []byte) []byte {
	key := (*s.cluster.Load())[0]
	b := append(dst[:0], key.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(end.Unix()))
	b = binary.BigEndian.AppendUint64(b, id.Epoch)
	b = binary.BigEndian.AppendUint64(b, id.Handle)
	b = binary.BigEndian.AppendUint64(b, stamp)
	sum := key.seal("pass", b, clientID)
	return append(b, sum[:]...)
}

// Returns says whether token shows an earlier session of the client, and which. Its stamp is true also of a token that
// is no good any more: clocks may be wrong, and a login is later than what its client knows of.
func (s *Seals) Returns(now time.Time, token, clientID []byte) (id codec.SessionID, stamp uint64, ok bool) {
	for _, key := range *s.cluster.Load() {
		if len(token) != passLen || key.id != [keyIDLen]byte(token) {
			continue
		}
		values, ok := key.open("pass", token, passLen, clientID)
		if !ok {
			continue // two keys may have one name
		}
		values = values[keyIDLen:]
		id = codec.SessionID{Epoch: binary.BigEndian.Uint64(values[8:]), Handle: binary.BigEndian.Uint64(values[16:])}
		stamp = binary.BigEndian.Uint64(values[24:])
		return id, stamp, now.Unix() < int64(binary.BigEndian.Uint64(values))
	}
	return codec.SessionID{}, 0, false
}

// IDKey stands for a client id at an address. It is sealed, so that nobody can choose ids that
// fall together.
func (s *Seals) IDKey(id []byte, addr netip.Addr) uint64 {
	b := addr.As16()
	sum := s.own.seal("id", b[:], id)
	return binary.BigEndian.Uint64(sum[:])
}
