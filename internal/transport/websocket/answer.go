package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
)

// The answers to requests.

// statuses are those that a server gives.
var statuses = map[int]string{
	200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
	426: "Upgrade Required", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
}

// framesType is the media type of an answer whose body is what a plain connection would have been
// told before its end.
const framesType = "application/vnd.stormwheel"

// appendAnswer appends an answer that ends the connection. fields are whole lines.
func appendAnswer(dst []byte, status int, fields, mediaType string, body []byte, head bool) []byte {
	dst = fmt.Appendf(dst, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n",
		status, statuses[status], mediaType, len(body), fields)
	if head {
		return dst
	}
	return append(dst, body...)
}

const plainText = "text/plain; charset=utf-8"

// appendAccept appends the answer that begins a WebSocket.
func appendAccept(dst []byte, r *request) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = append(dst, acceptOf(r.key)...)
	if r.offered {
		dst = append(dst, "\r\nSec-WebSocket-Protocol: "+Protocol...)
	}
	return append(dst, "\r\n\r\n"...)
}

// acceptOf is what a server makes of a key: RFC 6455, section 4.2.2.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appendRefusal appends the answer to a request that comes in time for none: early is what a plain
// connection would have been told.
func appendRefusal(dst, early []byte, code codec.Code) []byte {
	status := 503
	if code == codec.CodeHelloTimeout {
		status = 408
	}
	return appendAnswer(dst, status, "", framesType, early, false)
}
