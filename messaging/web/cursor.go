package web

import (
	"encoding/base64"
)

// A cursor says where a page has ended: by the name, or the session, that was its last. So it stays good
// whatever comes and goes. Clients get it as text that means nothing to them; it is good for the kind of list
// that it came from.

// The kinds of lists.
const (
	roomList    = 'r'
	memberList  = 'm'
	sessionList = 's'
	userList    = 'u'
)

func cursor(list byte, last string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{list}, last...))
}

// after reads the cursor of a request; empty: from the beginning.
func (c *call) after(list byte) (last string, err error) {
	text := c.query.Get("after")
	if text == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 2 || b[0] != list {
		return "", badCursor()
	}
	return string(b[1:]), nil
}

func badCursor() *Error {
	return failure(codeBadCursor, "The parameter after is not what a page of this list, in this run of the node, has told.")
}

// page reads what all lists of names take.
func (c *call) page(list byte) (after string, limit int, err error) {
	if after, err = c.after(list); err == nil {
		limit, err = c.limit()
	}
	return after, limit, err
}
