package hook

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// Data is what the back end said of a client when it let it in: one JSON value, which calls about that
// client repeat. It is AuthGrant.Data.
type Data string

// maxData bounds Data, in bytes: it is kept for each session.
const maxData = 4 << 10

// What an answer's result may be.
const (
	allow   = "allow"
	deny    = "deny"
	expired = "expired"
	later   = "later"
)

// errLater is an answer that tells the client to come again.
var errLater = errors.New("the back end says: later")

// login is what the back end is asked about who wants to come in.
type login struct {
	Client      string  `json:"client"`
	Token       *string `json:"token,omitempty"`
	TokenBytes  []byte  `json:"token_base64,omitempty"`
	Addr        string  `json:"addr,omitempty"` // not of a unix socket
	Peer        *peer   `json:"peer,omitempty"`
	Incarnation string  `json:"incarnation"`
	Attempt     uint32  `json:"attempt"`
	Renewal     bool    `json:"renewal"`
	TLS         *secure `json:"tls,omitempty"`
}

// peer is who is at the other end of a unix socket.
type peer struct {
	PID int    `json:"pid,omitempty"`
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
}

// secure is what a client's TLS handshake told.
type secure struct {
	Version     string `json:"version"`
	Name        string `json:"server_name,omitempty"`
	Certificate string `json:"certificate_sha256,omitempty"`
	Subject     string `json:"certificate_subject,omitempty"`
}

// loginAnswer decides it.
type loginAnswer struct {
	Result    string          `json:"result"`
	User      string          `json:"user"`
	Data      json.RawMessage `json:"data"`
	ExpiresIn *float64        `json:"expires_in"` // s
	Limits    *limits         `json:"limits"`
	Reason    string          `json:"reason"` // for the back end's own log: nobody is told
}

type limits struct {
	FrameRate      int `json:"frame_rate"`
	ByteRate       int `json:"byte_rate"`
	UnsettledBytes int `json:"unsettled_bytes"`
	MaxFrame       int `json:"max_frame"`
}

// Authenticate implements server.Authenticator. Errors: server.ErrUnauthorized and ErrTokenExpired where
// the back end says so; any other has the client told to come again.
func (b *BackEnd) Authenticate(ctx context.Context, req server.AuthRequest) (server.AuthGrant, error) {
	var answer loginAnswer
	err := b.logins.ask(ctx, "login", loginOf(req), &answer)
	if err == nil {
		err = answer.check()
	}
	b.logins.count.end(err)
	if err != nil {
		return server.AuthGrant{}, err
	}
	return answer.grant(time.Now()), nil
}

func loginOf(req server.AuthRequest) login {
	l := login{Client: req.ClientID, Peer: (*peer)(req.Peer), Incarnation: hex(req.Incarnation), Attempt: req.Attempt,
		Renewal: req.Renewal, TLS: secureOf(req.TLS)}
	if req.Addr.IsValid() {
		l.Addr = req.Addr.String()
	}
	if utf8.Valid(req.Token) {
		text := string(req.Token)
		l.Token = &text
	} else {
		l.TokenBytes = req.Token
	}
	return l
}

// secureOf names a certificate only if the node has verified it.
func secureOf(state *tls.ConnectionState) *secure {
	if state == nil {
		return nil
	}
	s := &secure{Version: tls.VersionName(state.Version), Name: state.ServerName}
	if len(state.VerifiedChains) > 0 {
		leaf := state.VerifiedChains[0][0]
		s.Certificate, s.Subject = fmt.Sprintf("%x", sha256.Sum256(leaf.Raw)), leaf.Subject.String()
	}
	return s
}

// check returns nil if the client may come in.
func (a *loginAnswer) check() error {
	switch a.Result {
	case allow:
	case deny:
		return server.ErrUnauthorized
	case expired:
		return server.ErrTokenExpired
	case later:
		return errLater
	default:
		return fmt.Errorf("the back end's result is %.40q, not allow, deny, expired or later", a.Result)
	}
	switch {
	case strings.Contains(a.User, "/"):
		return errors.New("the back end's user has a /, by which it would be a device")
	case !isText(a.User, envelope.MaxUser):
		return errors.New("the back end's user is no text of 1 to 128 bytes without control characters")
	case len(a.Data) > maxData:
		return fmt.Errorf("the back end's data has %d bytes, %d at most are kept", len(a.Data), maxData)
	case a.ExpiresIn != nil && !(*a.ExpiresIn > 0 && *a.ExpiresIn <= maxExpires):
		return errors.New("the back end's expires_in is not a number of seconds above 0, of ten years at most")
	}
	return nil
}

const maxExpires = 10 * 366 * 24 * 3600 // s

func isText(s string, maxBytes int) bool {
	return len(s) <= maxBytes && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func (a *loginAnswer) grant(now time.Time) server.AuthGrant {
	g := server.AuthGrant{User: a.User}
	if len(a.Data) > 0 && string(a.Data) != "null" {
		g.Data = Data(a.Data)
	}
	if a.ExpiresIn != nil {
		g.Expires = now.Add(time.Duration(math.Ceil(*a.ExpiresIn*1e3)) * time.Millisecond)
	}
	if a.Limits != nil {
		l := server.Limits(*a.Limits)
		g.Limits = &l
	}
	return g
}
