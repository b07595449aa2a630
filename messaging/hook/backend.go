package hook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// BackEnd is the node's side of the hooks. Its methods may be called from any goroutine.
type BackEnd struct {
	cfg     Config
	boot    string // 16 hexadecimal digits, of this start of the node
	number  atomic.Uint64
	node    atomic.Pointer[string]
	secrets atomic.Pointer[[][]byte]

	logins, policies, reports caller
	cache                     cache
	events                    queue
}

// New returns a BackEnd that answers at once, and tells events from Start on. The error names what of cfg
// makes no sense; it opens no connection.
func New(cfg Config) (*BackEnd, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	at, err := readURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	b := &BackEnd{cfg: cfg.withDefaults()}
	b.cfg.warn(at)
	var boot [8]byte
	_, _ = rand.Read(boot[:]) // never fails
	b.boot = hex(binary.BigEndian.Uint64(boot[:]))
	b.node.Store(&cfg.Node)
	if err := b.SetSecrets(cfg.Secrets...); err != nil {
		return nil, err
	}
	b.logins.init(b, b.cfg.Calls, b.cfg.Timeout)
	b.policies.init(b, b.cfg.Calls, b.cfg.Timeout)
	b.reports.init(b, 1, reportTime)
	b.cache.init()
	b.events.init(b)
	return b, nil
}

// SetSecrets changes the secrets by which calls are signed from now on. The error is ErrSecret, and then
// the old ones stay.
func (b *BackEnd) SetSecrets(secrets ...[]byte) error {
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	own := slices.Clone(secrets)
	b.secrets.Store(&own)
	return nil
}

// Start names the node in calls from now on, and has events be told. It is to be called once.
func (b *BackEnd) Start(node string) {
	b.node.Store(&node)
	b.events.start()
}

// Close tells the back end the events that wait, until ctx ends. It is to be called when nobody calls Event
// any more; what is told later is dropped. Calls about logins and policies end with their contexts. It may
// be repeated. The error says how many events were not told.
func (b *BackEnd) Close(ctx context.Context) error {
	err := b.events.close(ctx)
	for _, c := range []*caller{&b.logins, &b.policies, &b.reports} {
		if t, ok := c.http.Transport.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
	return err
}

// message is the body of a call.
type message struct {
	Type string `json:"type"`
	Time string `json:"timestamp"`
	Node string `json:"node,omitempty"`
	Data any    `json:"data"`
}

// body makes one.
func (b *BackEnd) body(kind string, data any) ([]byte, error) {
	return encode(message{kind, timeText(time.Now()), *b.node.Load(), data})
}

// nextID is a call's, which it keeps when it is tried again.
func (b *BackEnd) nextID() string { return fmt.Sprintf("msg_%s_%d", b.boot, b.number.Add(1)) }

const timeFormat = "2006-01-02T15:04:05.000Z"

func timeText(at time.Time) string { return at.UTC().Format(timeFormat) }

func hex(n uint64) string { return fmt.Sprintf("%016x", n) }

// content is bytes in JSON: a text, or base64 of what is none.
type content struct {
	Text  *string `json:"content,omitempty"`
	Bytes []byte  `json:"content_base64,omitempty"`
}

func contentOf(b []byte) content {
	if !utf8.Valid(b) {
		return content{Bytes: b}
	}
	text := string(b)
	return content{Text: &text}
}

// encode is json.Marshal, which writes <, > and & as they are.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes()[:out.Len()-1], nil // without the line's end
}
