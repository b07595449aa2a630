package between

// How the user's group of kinds is filled:
//
//	LOCATE   List: names of users. Token: 0, or that of the LOCATEDs, which come for those who are there only
//	LOCATED  User, List: his sessions, Stamp
//	PUSH     Token, User, Body
//	OUTCOME  Token, User, Result, Device, Code, Reason, Stamp
//	KICK     Token, User, Result: Ends or Moves, Code, Reason, Due: the delay, Until: the window, List: alternates
//	KICKED   Token, Due: how many
//	HAND     Token, User, Body, Due, Until
//	HANDED   Token, Result, Code, Reason

// Results of an Outcome and of Handed. The first five are those of messaging.Result.
const (
	Delivered uint64 = 1 // a device has it in its application
	Durable   uint64 = 2 // the node has it in a durable store: as origin, or as HANDED says
	Held      uint64 = 3 // the same of one that does not outlive it
	Refused   uint64 = 4 // by a device's application, or for good: Code, Reason
	Expired   uint64 = 5
	Unwanted  uint64 = 6 // no device took it, there may be some
	Unsent    uint64 = 7 // a device had no room for it
	Gone      uint64 = 8 // he has no session there whose login has a stamp up to Stamp
)

// Results of a Kick.
const (
	Ends  uint64 = 1
	Moves uint64 = 2
)
