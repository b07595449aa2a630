package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

const (
	callTime  = 10 * time.Second // what an answer may take, outcomes that are waited for apart
	writeTime = 5 * time.Second  // what writing it may take
)

// handler answers the back ends of a node. Any goroutine may use it.
type handler struct {
	hub    *messaging.Hub
	node   *server.Server
	cfg    Config
	gate   gate
	places chan struct{} // of requests that are being answered; nil: any number
	keys   *keys
	ids    ids
}

// New returns a handler of the paths below /v1/. hub is the one that was started with node, which need not have
// been. It keeps nothing open and has no goroutine of its own.
func New(hub *messaging.Hub, node *server.Server, cfg Config) http.Handler {
	cfg = cfg.withDefaults()
	h := &handler{hub: hub, node: node, cfg: cfg, gate: newGate(cfg.Tokens), keys: newKeys(cfg.MaxKeys, cfg.KeyLife), ids: newIDs(hub.Name())}
	if cfg.MaxRequests > 0 {
		h.places = make(chan struct{}, cfg.MaxRequests)
	}
	return h
}

// call is a request on its way.
type call struct {
	*handler
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context
	names map[string]string // what stands in the path for its {names}
	query url.Values
}

// reply is an answer.
type reply struct {
	status   int
	kind     string // of its content; empty: JSON
	body     []byte
	again    bool // the same request may do another time
	replayed bool // it is that of an earlier request with the same key
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{handler: h, w: w, r: r}
	c.write(c.answer())
}

// answer decides who is answered, and by what.
func (c *call) answer() (re reply) {
	if err := c.gate.admit(c.r); err != nil {
		if err.Code == codeUnauthorized {
			c.w.Header().Set("WWW-Authenticate", "Bearer")
		}
		return err.reply()
	}
	to, names, allowed := match(c.r.Method, c.r.URL.EscapedPath())
	switch {
	case len(allowed) > 0:
		c.w.Header().Set("Allow", allowed)
		return failure(codeMethod, "%s is not for this path, which takes %s.", c.r.Method, allowed).reply()
	case to == nil:
		return failure(codeNotFound, "There is no such path; GET /v1/openapi.yaml lists them.").reply()
	}
	c.names = names
	if err := checkUser("", names["user"]); err != nil {
		return err.reply()
	}
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return failure(codeBadRequest, "The query cannot be read.").reply()
	}
	for name, values := range c.query {
		if !slices.Contains(to.query, name) {
			return failure(codeBadRequest, "This path has no parameter %.40q.", name).reply()
		}
		if len(values) > 1 {
			return failure(codeBadRequest, "The parameter %q is there twice.", name).reply()
		}
	}
	if c.places != nil {
		select {
		case c.places <- struct{}{}:
			defer func() { <-c.places }()
		default:
			return failure(codeBusy, "The node answers as many requests as it may.").reply()
		}
	}
	return c.call(to)
}

// checkUser refuses a device where a user is to be named: nobody would ever get what is sent to it. where is the
// member that names it, empty for the path. Whatever else is wrong with a name the hub says.
func checkUser(where, name string) *Error {
	user, _, is := strings.Cut(name, "/")
	switch {
	case !is || !messaging.ValidName(name):
		return nil
	case where != "":
		where = "The member " + where + " is no user: "
	}
	if user == "" {
		return failure(codeBadName, "%s%q has a slash, and a user's name has none.", where, name)
	}
	return failure(codeBadName, "%s%q is a device; a user's name has no slash.", where, name)
}

// call has a route answer. A panic is told and logged, and costs nothing else.
func (c *call) call(to *route) (re reply) {
	defer func() {
		if p := recover(); p != nil {
			c.cfg.Logger.Error("an answer panicked", "path", to.path, "panic", p, "stack", string(debug.Stack()))
			re = failure(codeInternal, "The node failed at this; its log says more.").reply()
		}
	}()
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeout(c.r.Context(), callTime)
	defer cancel()
	return to.do(c)
}

// write sends an answer. The reader may be gone.
func (c *call) write(re reply) {
	if srv, ok := c.r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.WriteTimeout > 0 {
		_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(writeTime)) // of that time waiting took a part
	}
	head := c.w.Header()
	if re.kind == "" {
		re.kind = "application/json"
	}
	head.Set("Content-Type", re.kind)
	head.Set("Content-Length", strconv.Itoa(len(re.body)))
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	if re.again {
		head.Set("Retry-After", "1")
	}
	if re.replayed {
		head.Set("Idempotency-Replayed", "true")
	}
	c.w.WriteHeader(re.status)
	_, _ = c.w.Write(re.body)
}

// answered is a reply of JSON.
func answered(status int, body any) reply {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		panic(fmt.Errorf("web: an answer is no JSON: %w", err))
	}
	return reply{status: status, body: text.Bytes()}
}
