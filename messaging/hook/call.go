package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/messaging/internal/strict"
)

// Bounds of an answer, in bytes. One that is larger is none.
const (
	maxAnswer       = 64 << 10
	maxAnswerHeader = 16 << 10
)

// idleTime is how long a connection is kept for the next call.
const idleTime = 30 * time.Second

// caller makes the calls of one kind, over connections of its own.
type caller struct {
	b       *BackEnd
	http    http.Client
	timeout time.Duration
	count   counter
}

// init bounds the connections, and by them the calls under way. HTTP/2 is not spoken: there one connection
// that is stuck would be all of them.
func (c *caller) init(b *BackEnd, conns int, timeout time.Duration) {
	dialer := net.Dialer{Timeout: timeout}
	dialer.SetMultipathTCP(false)
	c.b, c.timeout = b, timeout
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http.Transport = &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    timeout,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost:        conns,
		MaxIdleConnsPerHost:    conns,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true,
	}
}

// statusError is an answer that is none by its status.
type statusError struct {
	status int
	after  time.Duration // Retry-After; 0: not said
}

func (e *statusError) Error() string {
	text := "the back end answered with status " + strconv.Itoa(e.status)
	if e.status/100 == 3 {
		text += ", and redirects are not followed"
	}
	return text
}

// ask makes a call and reads its answer, which must be one JSON object with the members of answer and no
// others. The error says what was wrong; then answer means nothing.
func (c *caller) ask(ctx context.Context, kind string, data, answer any) error {
	body, err := c.b.body(kind, data)
	if err != nil {
		return err
	}
	text, err := c.post(ctx, c.b.nextID(), body)
	switch {
	case err != nil:
		return err
	case len(text) > maxAnswer:
		return fmt.Errorf("the back end answered with more than %d KiB", maxAnswer>>10)
	}
	return decode(text, answer)
}

// post sends a call and returns what is answered with status 200 to 299, one byte more than maxAnswer at
// most.
func (c *caller) post(ctx context.Context, id string, body []byte) ([]byte, error) {
	began := time.Now()
	defer c.count.begin(began)()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.b.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"stormwheel-hook/1"}}
	// Empty: it is not sent, and says that a call whose kept connection has died may be sent again.
	r.Header["Idempotency-Key"] = nil
	signAll(r.Header, *c.b.secrets.Load(), id, began, body)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.plain(ctx, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.plain(ctx, err)
	case resp.StatusCode/100 != 2:
		return nil, &statusError{resp.StatusCode, retryAfter(resp.Header)}
	}
	return text, nil
}

// plain words an error without the URL, in which there may be a secret.
func (c *caller) plain(ctx context.Context, err error) error {
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("the back end has not answered within %v", c.timeout)
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("the back end cannot be asked: %w", err)
}

// decode reads an answer.
func decode(text []byte, answer any) error {
	switch err := strict.Object(text, answer); err {
	case nil:
		return nil
	case strict.ErrNoObject:
		return errors.New("the back end's answer is no JSON object")
	case strict.ErrBehind:
		return errors.New("there is something behind the JSON object of the back end's answer")
	default:
		return fmt.Errorf("the back end's answer cannot be read: %.200s", err.Error()) // which quotes it
	}
}

// maxRetryAfter is the longest that a back end can ask for.
const maxRetryAfter = 5 * time.Minute

// retryAfter reads the header Retry-After in seconds; a date is not looked at.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
