package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// wish is what the back end is asked about what a client wants to do.
type wish struct {
	Client string          `json:"client"`
	User   string          `json:"user"`
	Data   json.RawMessage `json:"data,omitempty"`

	Question string `json:"question,omitempty"` // of presence
	ToUser   string `json:"to_user,omitempty"`
	OfUser   string `json:"of_user,omitempty"`
	Room     string `json:"room,omitempty"`
	Member   *bool  `json:"member,omitempty"` // beside Room
	At       string `json:"at,omitempty"`
	*content
}

// wishAnswer decides it.
type wishAnswer struct {
	Result string  `json:"result"`
	Code   *uint16 `json:"code"` // of deny; default envelope.CodeForbidden
	Reason string  `json:"reason"`
	MaxAge float64 `json:"max_age"` // s
}

// maxReason is that of a receipt, in bytes.
const maxReason = 255

// maxMaxAge is the longest that an answer is kept, in s.
const maxMaxAge = 3600

// Policy is a messaging.Policy: give it to messaging.Config, with Timeout as its PolicyTimeout.
func (b *BackEnd) Policy(ctx context.Context, q messaging.Request) error {
	kind, w := wishOf(q)
	key := keyOf(kind, w)
	now := time.Now()
	if verdict, known := b.cache.find(key, now); known {
		b.policies.count.hits.Add(1)
		return verdict
	}
	var answer wishAnswer
	err := b.policies.ask(ctx, kind, w, &answer)
	if err == nil {
		err = answer.check()
	}
	b.policies.count.end(err)
	var refusal *messaging.Refusal
	if answer.MaxAge > 0 && (err == nil || errors.As(err, &refusal)) {
		age := time.Duration(min(answer.MaxAge, maxMaxAge) * float64(time.Second))
		b.cache.keep(key, err, now.Add(age))
	}
	return err
}

func wishOf(q messaging.Request) (kind string, w wish) {
	w = wish{Client: q.Client, User: q.User, Room: q.Room}
	if data, ok := q.Data.(Data); ok {
		w.Data = json.RawMessage(data)
	}
	if q.Room != "" {
		w.Member = &q.Member
	}
	switch q.Kind {
	case envelope.ToUser, envelope.ToRoom:
		c := contentOf(q.Content)
		w.ToUser, w.content = q.ToUser, &c
		if !q.At.IsZero() {
			w.At = timeText(q.At)
		}
		return "message", w
	case envelope.Join:
		return "join", w
	}
	w.OfUser, w.Question = q.ToUser, "watch"
	if q.Kind == envelope.Ask {
		w.Question = questionName(q.Ask)
	}
	return "presence", w
}

func questionName(q envelope.Question) string {
	switch q {
	case envelope.OnlineUsers:
		return "online_users"
	case envelope.RoomMembers:
		return "room_members"
	case envelope.UserDevices:
		return "user_devices"
	}
	return "other"
}

// check returns nil if the client may, and the *messaging.Refusal if it may not.
func (a *wishAnswer) check() error {
	if a.MaxAge < 0 {
		return errors.New("the back end's max_age is negative")
	}
	switch a.Result {
	case allow:
		if a.Code != nil {
			return errors.New("the back end's answer allows, with a code")
		}
		return nil
	case later:
		return errLater
	case deny:
	default:
		return fmt.Errorf("the back end's result is %.40q, not allow, deny or later", a.Result)
	}
	code := envelope.CodeForbidden
	if a.Code != nil {
		code = codec.NackCode(*a.Code)
	}
	switch {
	case code != envelope.CodeForbidden && (code < 50 || code > 79) && code < 1100:
		return fmt.Errorf("the back end's code is %d, not 50 to 79, 1011, or one from 1100 on", code)
	case !isText(a.Reason, maxReason):
		return fmt.Errorf("the back end's reason is no text of up to %d bytes without control characters", maxReason)
	}
	return &messaging.Refusal{Code: code, Reason: a.Reason}
}
