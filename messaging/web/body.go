package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/messaging/internal/strict"
)

const (
	maxBody  = 512 << 10       // bytes of a request: the largest content, however it is escaped
	bodyTime = 5 * time.Second // what reading it may take
)

// read reads the body, which must be one JSON object that fits into, a pointer to a struct, and returns it as
// it came. It wants JSON by its name: a page in an operator's browser cannot send that here without asking
// first, and is not answered.
func (c *call) read(into any) (body []byte, err error) {
	kind, params, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if charset := params["charset"]; kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, failure(codeMediaType, "The body must be JSON in UTF-8, with Content-Type: application/json.")
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, failure(codeMediaType, "The body must not be encoded, and its Content-Encoding is %.40q.", coding)
	}
	if body, err = c.readAll(); err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, failure(codeBadRequest, "The body is not UTF-8; what is no text goes into content_base64.")
	}
	var misfit *json.UnmarshalTypeError
	switch err := strict.Object(body, into); {
	case err == nil:
		return body, nil
	case errors.Is(err, strict.ErrNoObject):
		return nil, failure(codeBadRequest, "The body must be one JSON object.")
	case errors.Is(err, strict.ErrBehind):
		return nil, failure(codeBadRequest, "The body must be one JSON object, with nothing behind it.")
	case errors.As(err, &misfit):
		return nil, failure(codeBadRequest, "The body does not fit: its member %q cannot be a %s.", misfit.Field[strings.LastIndexByte(misfit.Field, '.')+1:], misfit.Value)
	case strict.IsUnknown(err):
		return nil, failure(codeBadRequest, "The body does not fit: %s; its members are %s.", strings.TrimPrefix(err.Error(), "json: "), strings.Join(strict.Members(into), ", "))
	default:
		return nil, failure(codeBadRequest, "The body does not fit: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
}

// readAll reads the body within its bounds. When it has all of it net/http takes the deadline away, and watches
// whether the client goes.
func (c *call) readAll() ([]byte, error) {
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(bodyTime)) // a server that cannot has limits of its own
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &large):
		return nil, failure(codeTooLarge, "The body is longer than %d bytes.", maxBody)
	case errors.As(err, &slow) && slow.Timeout():
		c.w.Header().Set("Connection", "close")
		return nil, failure(codeSlowBody, "The body did not come within %v.", bodyTime)
	}
	return nil, failure(codeBadRequest, "The body ended early.")
}

// wait is how long the client wants to wait for an outcome.
func (c *call) wait() (time.Duration, error) {
	const most = 10 * time.Second
	text := c.query.Get("wait")
	if text == "" {
		return 6 * time.Second, nil // the hub settles within 5 s
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > most {
		return 0, failure(codeBadRequest, "The parameter wait is a time from 0s to %v, not %.40q.", most, text)
	}
	return d, nil
}

// limit is how many the client wants on a page.
func (c *call) limit() (int, error) {
	const usual, most = 100, 1000
	text := c.query.Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, failure(codeBadRequest, "The parameter limit is a number from 1 to %d, not %.40q.", most, text)
	}
	return n, nil
}
