package between

// How presence's group of kinds is filled:
//
//	LOOK    Token, User or Room
//	LOOKED  Token, User or Room, List: devices; Result: Last with the last part, or Later
//	UNLOOK  Room
//	SEEN    Room, User, Device, Stamp; Result: Came or Went

// Result of Looked: there is no more to come.
const Last uint64 = 11

// Results of Seen.
const (
	Came uint64 = 12
	Went uint64 = 13 // and its grace is over
)

// AppendDevice appends a user's device to a Message's List. One that has gone is in its grace.
func AppendDevice(list []byte, user, id string, stamp uint64, gone bool) []byte {
	list = AppendSession(AppendName(list, user), id, stamp)
	if gone {
		return append(list, 1)
	}
	return append(list, 0)
}

// Device is one of a List.
type Device struct {
	User, ID []byte // views
	Stamp    uint64
	Gone     bool
}

// NextDevice is NextName for devices.
func NextDevice(list []byte) (d Device, rest []byte, ok bool) {
	if d.User, rest, ok = NextName(list); !ok {
		return d, nil, false
	}
	if d.ID, d.Stamp, rest, ok = NextSession(rest); !ok || len(rest) == 0 {
		return d, nil, false
	}
	d.Gone = rest[0] != 0
	return d, rest[1:], true
}
