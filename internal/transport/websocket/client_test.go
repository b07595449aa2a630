package websocket

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// What a client takes for an answer.
func TestSection42TheAnswer(t *testing.T) {
	refusal, _ := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeFull})
	const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	for _, c := range []struct {
		what, answer string
		opens        bool
		status       string // of the StatusError
		plain        string
	}{
		{"good", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", true, "", ""},
		{"frames at once", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n" + bare(fin|binary1, "hello"), true, "", "hello"},
		{"our subprotocol", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: stormwheel.1\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", true, "", ""},
		{"another", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", false, "", ""},
		{"an extension", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", false, "", ""},
		{"another key's", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", false, "", ""},
		{"no upgrade", "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", false, "", ""},
		{"no connection", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", false, "", ""},
		{"another status", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", false, "403 Forbidden", ""},
		{"HTTP/1.0", "HTTP/1.0 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n", false, "", ""},
		{"a long head", "HTTP/1.1 101 x\r\nX: " + strings.Repeat("x", maxHead), false, "", ""},
		{"a refusal in frames", string(refusal), false, "", string(refusal)},
		{"a refusal in HTTP", string(appendRefusal(nil, refusal, codec.CodeFull)), false, "", string(refusal)},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				e := newClientEnd(t)
				e.side.pending[0].key = "dGhlIHNhbXBsZSBub25jZQ=="
				e.said()
				e.send("HELLO")
				for b := c.answer; b != ""; b = b[min(size, len(b)):] {
					if e.over {
						e.got = append(e.got, b...)
						break
					}
					e.receive(b[:min(size, len(b))])
				}
				var status *StatusError
				errors.As(e.err, &status)
				refused := c.plain == string(refusal)
				switch {
				case (e.err == nil) != (c.opens || refused), status != nil && status.Status != c.status, c.status != "" && status == nil:
					t.Errorf("in reads of %d bytes: %v", size, e.err)
				case string(e.got) != c.plain:
					t.Errorf("in reads of %d bytes: %q is plain, want %q", size, e.got, c.plain)
				case c.opens != strings.HasPrefix(string(e.sent), "\x82\x85"):
					t.Errorf("in reads of %d bytes: it says %q", size, e.sent)
				case e.lines.Held(0) != 0:
					t.Errorf("%d bytes held", e.lines.Held(0))
				}
			}
		})
	}
}

// Section 5.1: a client must fail the connection if a frame has a mask; and 5.3: each of its own
// has one that nobody can foretell from the last.
func TestSection51AServersFramesHaveNoMask(t *testing.T) {
	client, _ := newPair(t, ServerConfig{})
	client.receive(frame(fin|binary1, "a"))
	if !errors.Is(client.err, errMask) {
		t.Errorf("%v, want %v", client.err, errMask)
	}
	client, _ = newPair(t, ServerConfig{})
	client.send("aaaa")
	client.send("aaaa")
	sent := client.said()
	if len(sent) != 20 || sent[2:6] == sent[12:16] {
		t.Errorf("%x: two frames, two masks", sent)
	}
}

func TestBothSidesCloseInOrder(t *testing.T) {
	client, server := newPair(t, ServerConfig{})
	client.close(0)
	server.take(client)
	server.send("on its way")
	server.close(0)
	if client.take(server); string(client.got) != "" {
		t.Errorf("behind the closing words %q is opened", client.got)
	}
	if said := string(server.said()); said != "" || server.err == nil {
		t.Errorf("%q, %v", said, server.err)
	}
}

// A page is shown a message when all of it has come: what a node says comes in short ones, so that a slow link is seen
// to move. A client's is one, however long.
func TestAServersMessagesAreShort(t *testing.T) {
	client, server := newPair(t, ServerConfig{})
	const long = 3*maxMessage + 1
	server.send(strings.Repeat("a", long))
	var sizes []int
	b := server.said()
	for _, f := range unframe(t, b) {
		if f.first != fin|binary1 {
			t.Fatalf("a frame begins with %x", f.first)
		}
		sizes = append(sizes, len(f.payload))
	}
	if want := []int{maxMessage, maxMessage, maxMessage, 1}; !slices.Equal(sizes, want) {
		t.Errorf("messages of %d bytes, want %d", sizes, want)
	}
	if client.receive(b); string(client.got) != strings.Repeat("a", long) || client.frames != 0 {
		t.Errorf("%d bytes arrive, and %d frames are charged", len(client.got), client.frames)
	}
	client.send(strings.Repeat("a", long))
	if sent := client.said(); len(sent) != long+8 {
		t.Errorf("a client's %d bytes are %d", long, len(sent))
	}
}
