package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// Error is what went wrong: the member "error" of every answer that is no success.
type Error struct {
	Code    string   `json:"code"`              // one of a fixed set, see openapi.yaml
	Message string   `json:"message"`           // one sentence for people
	Again   bool     `json:"again"`             // the same request may do another time
	Refusal *Refusal `json:"refusal,omitempty"` // why the node, or a client's application, refused a message
}

// Refusal is a code of docs/MESSAGING.md, or of an application, with its text.
type Refusal struct {
	Code   uint16 `json:"code"`
	Reason string `json:"reason"`
}

// The codes.
const (
	codeBadRequest   = "bad_request"
	codeBadName      = "bad_name"
	codeBadCursor    = "bad_cursor"
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeNotFound     = "not_found"
	codeNoSession    = "no_session"
	codeNoRoom       = "no_room"
	codeMethod       = "method_not_allowed"
	codeSlowBody     = "slow_body"
	codeKeyInWork    = "key_in_work"
	codeRefused      = "refused"
	codeExpired      = "expired"
	codeNowhere      = "nowhere"
	codeTooLarge     = "too_large"
	codeMediaType    = "media_type"
	codeKeyReused    = "key_reused"
	codeInternal     = "internal"
	codeTryLater     = "try_later"
	codeBusy         = "busy"
	codeClosing      = "closing"
)

// statuses has all codes, and the status of each.
var statuses = map[string]int{
	codeBadRequest: http.StatusBadRequest, codeBadName: http.StatusBadRequest, codeBadCursor: http.StatusBadRequest,
	codeUnauthorized: http.StatusUnauthorized, codeForbidden: http.StatusForbidden,
	codeNotFound: http.StatusNotFound, codeNoSession: http.StatusNotFound, codeNoRoom: http.StatusNotFound,
	codeMethod: http.StatusMethodNotAllowed, codeSlowBody: http.StatusRequestTimeout,
	codeKeyInWork: http.StatusConflict, codeRefused: http.StatusConflict, codeExpired: http.StatusConflict, codeNowhere: http.StatusConflict,
	codeTooLarge: http.StatusRequestEntityTooLarge, codeMediaType: http.StatusUnsupportedMediaType, codeKeyReused: http.StatusUnprocessableEntity,
	codeInternal: http.StatusInternalServerError,
	codeTryLater: http.StatusServiceUnavailable, codeBusy: http.StatusServiceUnavailable, codeClosing: http.StatusServiceUnavailable,
}

// failure is an error with the sentence that says it.
func failure(code, sentence string, about ...any) *Error {
	again := statuses[code] == http.StatusServiceUnavailable || code == codeKeyInWork || code == codeSlowBody
	return &Error{Code: code, Message: fmt.Sprintf(sentence, about...), Again: again}
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func (e *Error) reply() reply {
	re := answered(statuses[e.Code], map[string]*Error{"error": e})
	re.again = e.Again
	return re
}

// failed is the answer to what another package has refused. What is not known here is a fault, and logged.
func (c *call) failed(err error) reply {
	var own *Error
	var refusal *messaging.Refusal
	switch {
	case errors.As(err, &own):
		return own.reply()
	case errors.As(err, &refusal):
		return refused(refusal).reply()
	case errors.Is(err, messaging.ErrName):
		return failure(codeBadName, "No user or room can have this name: it needs 1 to 128 bytes of text without control characters.").reply()
	case errors.Is(err, messaging.ErrNoSession):
		return noSession().reply()
	case errors.Is(err, messaging.ErrPartial):
		return failure(codeTryLater, "Not all nodes of the cluster have answered in time; those that have did it.").reply()
	case errors.Is(err, messaging.ErrClosed), errors.Is(err, messaging.ErrNotStarted), errors.Is(err, server.ErrClosed):
		return failure(codeClosing, "The node is ending, or has not begun.").reply()
	case errors.Is(err, server.ErrBusy):
		return failure(codeBusy, "The node has too much to do.").reply()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return failure(codeBusy, "The node did not get to this in time.").reply()
	case errors.Is(err, server.ErrTooBig):
		return failure(codeTooLarge, "The message is larger than a frame.").reply()
	case errors.Is(err, server.ErrCode):
		return failure(codeBadRequest, "A session is closed by codes 3009 to 3011, 3504, 3150 to 3199, 3450 to 3499 and 3900 to 3999 alone.").reply()
	case errors.Is(err, codec.ErrField):
		return failure(codeBadRequest, "A client cannot be told this: %s.", strings.TrimPrefix(err.Error(), codec.ErrField.Error()+": ")).reply()
	case errors.Is(err, server.ErrNowhere):
		return failure(codeNowhere, "The node knows no other node, and the request names none.").reply()
	}
	c.cfg.Logger.Error("a request failed", "path", c.r.URL.Path, "error", err)
	return failure(codeInternal, "The node failed at this; its log says more.").reply()
}

// refused says why a message was.
func refused(why *messaging.Refusal) *Error {
	code := codeRefused
	switch {
	case why.Again():
		code = codeTryLater
	case why.Code == envelope.CodeTooLarge:
		code = codeTooLarge
	}
	e := failure(code, "The message was refused with code %d.", uint16(why.Code))
	if why.Reason != "" {
		e.Message = fmt.Sprintf("The message was refused: %s.", why.Reason)
	}
	e.Refusal = &Refusal{uint16(why.Code), why.Reason}
	return e
}
