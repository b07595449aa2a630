package between

import "encoding/binary"

// AppendName appends a name to a Message's List.
func AppendName(list []byte, name string) []byte {
	list = binary.AppendUvarint(list, uint64(len(name)))
	return append(list, name...)
}

// AppendNames appends names.
func AppendNames(list []byte, names []string) []byte {
	for _, name := range names {
		list = AppendName(list, name)
	}
	return list
}

// NextName returns the first name of a List and the rest; ok is false at the end, and where it is broken.
func NextName(list []byte) (name, rest []byte, ok bool) {
	size, n := binary.Uvarint(list)
	if n <= 0 || size > uint64(len(list)-n) {
		return nil, nil, false
	}
	return list[n : n+int(size)], list[n+int(size):], true
}

// AppendSession appends a session to a Message's List: a client id and the stamp of its login.
func AppendSession(list []byte, id string, stamp uint64) []byte {
	return binary.AppendUvarint(AppendName(list, id), stamp)
}

// NextSession is NextName for sessions.
func NextSession(list []byte) (id []byte, stamp uint64, rest []byte, ok bool) {
	id, rest, ok = NextName(list)
	if !ok {
		return nil, 0, nil, false
	}
	stamp, n := binary.Uvarint(rest)
	if n <= 0 {
		return nil, 0, nil, false
	}
	return id, stamp, rest[n:], true
}
