package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server/admin"
)

const (
	maxPush    = 512 << 10 // bytes of a request: the largest content, however it is escaped
	maxPushKey = 256       // bytes of an idempotency key
)

// pushRequest is what POST /push takes: to a user or a room, one of them.
type pushRequest struct {
	User    string    `json:"user"`
	Room    string    `json:"room"`
	From    string    `json:"from"` // the user it is said to come from
	Content *string   `json:"content"`
	Base64  []byte    `json:"content_base64"` // in place of Content
	Key     string    `json:"key"`
	At      time.Time `json:"at"`
	Life    string    `json:"life"` // as time.ParseDuration has it
}

// pushAnswer is what became of it.
type pushAnswer struct {
	Result string `json:"result"` // delivered, durable, held, refused, expired; taken, by a room
	Device string `json:"device,omitempty"`
	Epoch  string `json:"epoch,omitempty"` // of the room, 16 hexadecimal digits
	Offset uint64 `json:"offset,omitempty"`
	Code   uint16 `json:"code,omitempty"` // of refused, as a client is told
	Reason string `json:"reason,omitempty"`
	Again  bool   `json:"again,omitempty"` // it may be taken another time
}

// pusher answers POST /push.
type pusher struct {
	hub    *messaging.Hub
	tokens [][]byte // any of them admits; none: who asks by a name of this machine
}

// ServeHTTP implements http.Handler. It wants JSON by its name: a page in an operator's browser cannot send
// that here without asking first, and is not answered.
func (p *pusher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, why := p.admit(r); why != "" {
		http.Error(w, why, status)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	req, m, err := readPush(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := p.push(r, req, m)
	if err != nil {
		status := http.StatusServiceUnavailable // the hub is closed, or the caller has gone
		if errors.Is(err, messaging.ErrName) {
			status = http.StatusBadRequest
		}
		http.Error(w, strings.TrimPrefix(err.Error(), "messaging: "), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status())
	_ = json.NewEncoder(w).Encode(answer) // the reader may be gone
}

func (p *pusher) admit(r *http.Request) (status int, why string) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(p.tokens) > 0 && !p.knows(r):
		return http.StatusUnauthorized, "push needs the header Authorization: Bearer with a token of --admin-token-file"
	case len(p.tokens) == 0 && !admin.IsLocal(r.Host):
		return http.StatusForbidden, "push without a token is for this machine: ask by localhost or its address"
	case kind != "application/json":
		return http.StatusUnsupportedMediaType, "push takes Content-Type: application/json"
	}
	return 0, ""
}

func (p *pusher) knows(r *http.Request) bool {
	given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known := 0
	for _, token := range p.tokens {
		known |= subtle.ConstantTimeCompare([]byte(given), token)
	}
	return found && known == 1
}

// readPush reads a request, and makes the hub's message of it.
func readPush(body []byte) (req pushRequest, m messaging.Message, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, m, fmt.Errorf("push: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, m, errors.New("push: one JSON object is wanted, and nothing behind it")
	}
	m = messaging.Message{From: req.From, Content: req.Base64, At: req.At}
	if req.Life != "" {
		if m.Life, err = time.ParseDuration(req.Life); err != nil || m.Life <= 0 {
			return req, m, fmt.Errorf("push: life %q is no time, as in 90s or 24h", req.Life)
		}
	}
	switch {
	case (req.User == "") == (req.Room == ""):
		return req, m, errors.New("push: one of user and room is wanted")
	case (req.Content == nil) == (req.Base64 == nil):
		return req, m, errors.New("push: one of content and content_base64 is wanted")
	case req.Room != "" && (req.Life != "" || !req.At.IsZero()):
		return req, m, errors.New("push: at and life are of messages to users")
	case len(req.Key) > maxPushKey:
		return req, m, fmt.Errorf("push: the key is longer than %d bytes", maxPushKey)
	}
	if req.Content != nil {
		m.Content = []byte(*req.Content)
	}
	if req.Key != "" {
		m.ID = keyID(req)
	}
	return req, m, nil
}

// keyID is the id of all messages of one key to one user or room.
func keyID(req pushRequest) messaging.ID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", req.User, req.Room, req.Key))
	return messaging.ID{Sender: pushSender, Incarnation: binary.BigEndian.Uint64(sum[:]), Number: binary.BigEndian.Uint64(sum[8:]) | 1}
}

// pushSender is messaging.Config.Name.
const pushSender = "node"

// push returns when the outcome is known. What the hub refuses is an outcome.
func (p *pusher) push(r *http.Request, req pushRequest, m messaging.Message) (answer pushAnswer, err error) {
	var refusal *messaging.Refusal
	if req.Room != "" {
		var at envelope.Position
		at, err = p.hub.PushRoom(req.Room, m)
		answer = pushAnswer{Result: "taken", Epoch: fmt.Sprintf("%016x", at.Epoch), Offset: at.Offset}
	} else {
		outcome := make(chan messaging.Outcome, 1)
		if err = p.hub.Push(req.User, m, func(o messaging.Outcome) { outcome <- o }); err == nil {
			select {
			case o := <-outcome:
				answer, err = pushAnswer{Result: o.Result.String(), Device: o.Device}, o.Err
			case <-r.Context().Done():
				return answer, r.Context().Err()
			}
		}
	}
	if errors.As(err, &refusal) {
		return pushAnswer{Result: messaging.Refused.String(), Code: uint16(refusal.Code), Reason: refusal.Reason, Again: refusal.Again()}, nil
	}
	return answer, err
}

func (a *pushAnswer) status() int {
	switch {
	case a.Result != messaging.Refused.String() && a.Result != messaging.Expired.String():
		return http.StatusOK
	case a.Again:
		return http.StatusServiceUnavailable
	case a.Code == uint16(envelope.CodeTooLarge):
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusConflict
}
