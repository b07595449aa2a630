package between

import "encoding/binary"

// How the rooms' group of kinds is filled. A room's home is the node that gives its offsets:
//
//	SAY    Token, Room, Body: an envelope of kind message, without a place      to the home
//	TAKEN  Token, Epoch, Offset; or Result, Code, Reason                        from the home
//	SAID   Body: the publication, as members get it                             from the home to all
//	FETCH  Token, Room, Epoch, Offset: up to where it is known; Result          to the home
//	RING   Token, Room, Epoch, Offset: of the latest; List: publications, Members: at all others; or Result   from the home
//	HEADS  List: rooms, and the place of their latest publication               from the home to all
//	LEFT   Room                                                                 to the home
//	MEMBERS Room, Members: at the node, or, from the home, at all others        to the home, and from it

// Results of Taken and Ring. None: it is as was asked.
const (
	Later uint64 = 9  // the node is not the room's home, or not yet: ask again
	No    uint64 = 10 // it is refused, for Code and Reason
)

// Results of Fetch, which are bits.
const (
	Follows uint64 = 1 // the node has members of the room
	Was     uint64 = 2 // the node was its home, up to Epoch and Offset
)

// AppendHead appends a room and a place in it to a Message's List.
func AppendHead(list []byte, room string, epoch, offset uint64) []byte {
	list = AppendName(list, room)
	return binary.AppendUvarint(binary.AppendUvarint(list, epoch), offset)
}

// NextHead is NextName for rooms and their places.
func NextHead(list []byte) (room []byte, epoch, offset uint64, rest []byte, ok bool) {
	room, rest, ok = NextName(list)
	if !ok {
		return nil, 0, 0, nil, false
	}
	epoch, n := binary.Uvarint(rest)
	if n <= 0 {
		return nil, 0, 0, nil, false
	}
	offset, k := binary.Uvarint(rest[n:])
	if k <= 0 {
		return nil, 0, 0, nil, false
	}
	return room, epoch, offset, rest[n+k:], true
}
