package between

// Kind is what a body is about.
type Kind uint8

// All kinds, a group each for who has to do with them. docs/CLUSTER.md says which fields each has.
const (
	// Streams: nothing but that.
	Hail Kind = 1 // a stream begins
	Ack  Kind = 2 // what has come of a stream

	// Users, see users.go.
	Locate  Kind = 16 // who of these users is with you?
	Located Kind = 17 // this user has these sessions here
	Push    Kind = 18 // a message for a user who is with you
	Outcome Kind = 19 // what his devices made of it
	Kick    Kind = 20 // end or move a user's sessions
	Hand    Kind = 21 // a stored message that is yours from now on
	Handed  Kind = 22 // it is stored
	Kicked  Kind = 23 // so many sessions were told

	// Rooms, see rooms.go.
	Say   Kind = 32 // say this in a room that you are the home of
	Taken Kind = 33 // it has a place there, or was refused
	Said  Kind = 34 // what a room has said
	Fetch Kind = 35 // I follow this room: what has it said?
	Ring  Kind = 36 // that is what it has said
	Heads Kind = 37 // so far rooms have come
	Left  Kind = 38 // I follow this room no more

	Members Kind = 39 // so many are in the room with me; from its home: with all others

	// Presence, see presence.go.
	Look   Kind = 48 // tell me who comes and goes: of a user, or in a room
	Looked Kind = 49 // these are here
	Unlook Kind = 50 // no longer
	Seen   Kind = 51 // a device came, or went

	// Questions, see questions.go.
	Ask    Kind = 64
	Answer Kind = 65
)

var names = [...]string{
	Hail: "HAIL", Ack: "ACK",
	Say: "SAY", Taken: "TAKEN", Said: "SAID", Fetch: "FETCH", Ring: "RING", Heads: "HEADS", Left: "LEFT", Members: "MEMBERS",
	Look: "LOOK", Looked: "LOOKED", Unlook: "UNLOOK", Seen: "SEEN", Ask: "ASK", Answer: "ANSWER",
	Locate: "LOCATE", Located: "LOCATED", Push: "PUSH", Outcome: "OUTCOME", Kick: "KICK", Hand: "HAND", Handed: "HANDED", Kicked: "KICKED",
}

// isLoad tells whether a body of the kind brings what somebody wants to be sent, who can be told that there is no
// room. All others are questions of which there are few, and answers: who misses one of these waits for ever.
func (k Kind) isLoad() bool { return k == Push || k == Say || k == Hand }

// String names the kind as docs/CLUSTER.md does.
func (k Kind) String() string {
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}
