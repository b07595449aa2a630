package messaging

import (
	"context"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// calls are questions to other nodes for whose answers somebody waits.
type calls struct {
	mu sync.Mutex
	of map[uint64]*call // by token
}

// call is one of them.
type call struct {
	said chan between.Message // has room for all answers, which have no List and names
}

// callAll asks all other nodes, under a token that it gives m; partial: a node could not be asked. Whoever
// calls ends it.
func (h *Hub) callAll(m *between.Message) (c *call, partial bool) {
	if h.cfg.Peers == nil {
		return &call{}, false
	}
	live := h.cfg.Peers.Live()
	c = &call{said: make(chan between.Message, max(0, len(live)-1))}
	m.Token = h.token.Add(1)
	h.calls.begin(m.Token, c)
	for _, node := range live {
		if node != h.cfg.Peers.Node() && h.tellPeer(node, m) != nil {
			partial = true
		}
	}
	return c, partial
}

// answers waits until all have answered. Errors: ErrPartial, ErrClosed, and ctx's.
func (h *Hub) answers(ctx context.Context, c *call, most time.Duration) (all []between.Message, err error) {
	timeout := time.NewTimer(most)
	defer timeout.Stop()
	for len(all) < cap(c.said) {
		select {
		case a := <-c.said:
			all = append(all, a)
		case <-timeout.C:
			return all, ErrPartial
		case <-ctx.Done():
			return all, ctx.Err()
		case <-h.ctx.Done():
			return all, ErrClosed
		}
	}
	return all, nil
}

func (l *calls) begin(token uint64, c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[uint64]*call)
	}
	l.of[token] = c
}

func (l *calls) end(token uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of, token)
}

// answeredThere is KICKED, HANDED and ANSWER.
func (h *Hub) answeredThere(_ string, m *between.Message) {
	h.calls.mu.Lock()
	c := h.calls.of[m.Token]
	h.calls.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case c.said <- between.Message{Kind: m.Kind, Token: m.Token, Due: m.Due, Result: m.Result, Code: m.Code, Reason: append([]byte(nil), m.Reason...), Body: append([]byte(nil), m.Body...)}:
	default: // one too many
	}
}
