package peer

import "encoding/binary"

// Records of lanes. A session is as in CLAIMS, and behind it 1 byte: the roles of the home.
const (
	recordAway     recordKind = 3 // a session that lives, and has another home now
	recordFollow   recordKind = 4 // a user
	recordUnfollow recordKind = 5 // a user
	recordWhole    recordKind = 6 // 8 bytes: of those who live as this says, all that is the receiver's was told
	recordState    recordKind = 7 // where a user is
	recordBeaten   recordKind = 8 // a login that is later than one of the receiver's: its node, epoch, session
)

func appendSession(dst []byte, k recordKind, s *session, roles byte) []byte {
	start := len(dst)
	dst = append(appendRecord(dst, k, s), roles)
	return finishRecord(dst, start)
}

// finishRecord writes the length of a record that began at start.
func finishRecord(dst []byte, start int) []byte {
	binary.BigEndian.PutUint16(dst[start+1:], uint16(len(dst)-start-recordHead))
	return dst
}

func parseSession(body []byte, k recordKind) (c Claim, roles byte, err error) {
	r, err := parseRecord(body, recordLogin)
	size := recordFixed + 2 + len(r.ID) + len(r.User) + recordTail
	if err != nil || len(body) <= size {
		return c, 0, errMalformed
	}
	return r.Claim, body[size], nil
}

func appendText(dst []byte, k recordKind, text string) []byte {
	start := len(dst)
	return finishRecord(append(append(dst, byte(k), 0, 0), text...), start)
}

func appendWhole(dst []byte, view uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(recordWhole), 0, 8), view)
}

func parseWhole(body []byte) uint64 { return binary.BigEndian.Uint64(body) }

// state is where a user is: all his sessions at owner, or, if that is empty, all that there are among the nodes that view
// stands for; 0: there may be more.
type state struct {
	view     uint64
	owner    []byte
	user     []byte
	sessions []sessionAt
}

type sessionAt struct {
	node  []byte
	claim Claim
}

// maxState bounds the sessions in a record. Of who has more it is told that there may be others.
const maxState = 128

func appendState(dst []byte, s *state) []byte {
	start := len(dst)
	sessions, view, owner := s.sessions, s.view, s.owner
	if len(sessions) > maxState {
		sessions, view, owner = sessions[:maxState], 0, nil
	}
	dst = binary.BigEndian.AppendUint64(append(dst, byte(recordState), 0, 0), view)
	dst = append(append(dst, byte(len(owner))), owner...)
	dst = append(append(dst, byte(len(s.user))), s.user...)
	for i := range sessions {
		dst = appendAt(dst, sessions[i].node, &sessions[i].claim)
	}
	return finishRecord(dst, start)
}

// appendAt appends a node, its epoch, and a session there without its user.
func appendAt(dst, node []byte, c *Claim) []byte {
	dst = append(append(dst, byte(len(node))), node...)
	for _, v := range [...]uint64{c.Epoch, c.Stamp, c.Incarnation} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	dst = binary.BigEndian.AppendUint32(dst, c.Attempt)
	return append(append(dst, byte(len(c.ID))), c.ID...)
}

func cutAt(b []byte) (node []byte, c Claim, rest []byte, err error) {
	if node, rest, err = cutText(b); err != nil || len(rest) < 28 || !validNode(node) {
		return nil, c, nil, errMalformed
	}
	u64 := binary.BigEndian.Uint64
	c.Epoch, c.Stamp, c.Incarnation, c.Attempt = u64(rest), u64(rest[8:]), u64(rest[16:]), binary.BigEndian.Uint32(rest[24:])
	if c.ID, rest, err = cutText(rest[28:]); err != nil || len(c.ID) == 0 || c.Stamp == 0 || c.Stamp>>numberBits > maxClock {
		return nil, c, nil, errMalformed
	}
	return node, c, rest, nil
}

func parseState(b []byte) (s state, err error) {
	if len(b) < 8 {
		return s, errMalformed
	}
	s.view, b = binary.BigEndian.Uint64(b), b[8:]
	if s.owner, b, err = cutText(b); err != nil {
		return s, err
	}
	if s.user, b, err = cutText(b); err != nil || len(s.user) == 0 {
		return s, errMalformed
	}
	for len(b) > 0 {
		var at sessionAt
		if at.node, at.claim, b, err = cutAt(b); err != nil {
			return s, err
		}
		s.sessions = append(s.sessions, at)
	}
	return s, nil
}

func appendBeaten(dst []byte, node string, c *Claim) []byte {
	start := len(dst)
	return finishRecord(appendAt(append(dst, byte(recordBeaten), 0, 0), []byte(node), c), start)
}

func parseBeaten(b []byte) (node []byte, c Claim, err error) {
	node, c, _, err = cutAt(b)
	return node, c, err
}
