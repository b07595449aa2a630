package between

// How presence's group of kinds is filled:
//
//	LOOK    Token, User or Room
//	LOOKED  Token, User or Room, List: a name, a user's or empty for User itself, and his sessions, each behind it;
//	        Result: Last with the last part
//	UNLOOK  Room
//	SEEN    Room, User, Device, Stamp; Result: Came or Went

// Result of Looked: there is no more to come.
const Last uint64 = 11

// Results of Seen.
const (
	Came uint64 = 12
	Went uint64 = 13 // and its grace is over
)

// AppendDevice appends a user's device to a Message's List.
func AppendDevice(list []byte, user, id string, stamp uint64) []byte {
	return AppendSession(AppendName(list, user), id, stamp)
}

// NextDevice is NextName for devices.
func NextDevice(list []byte) (user, id []byte, stamp uint64, rest []byte, ok bool) {
	user, rest, ok = NextName(list)
	if !ok {
		return nil, nil, 0, nil, false
	}
	id, stamp, rest, ok = NextSession(rest)
	return user, id, stamp, rest, ok
}
