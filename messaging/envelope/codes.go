package envelope

import "github.com/stormwheel/stormwheel/codec"

// Codes of a NACK, and of a Receipt or Left, that messaging gives beside codec's. From 1 to 99 the same
// message may be taken another time. Applications own 50 to 99 and those from 1000 on: messaging is one,
// and takes 80 to 89 and 1010 to 1029 of them.
const (
	CodeQueueFull codec.NackCode = 80 // the addressee's queue, or the node's store, is full
	CodeRate      codec.NackCode = 81 // you send or join too often
	CodeTryLater  codec.NackCode = 82 // the node could not find out in time: its store or its back end is late; try again
	CodeFullRoom  codec.NackCode = 83 // the room has as many members as it may

	CodeMalformed  codec.NackCode = 1010 // the body is no envelope, or one of a kind that nodes send
	CodeForbidden  codec.NackCode = 1011 // you may not
	CodeTooLarge   codec.NackCode = 1012 // it would be larger than a frame when it is delivered
	CodeTooLate    codec.NackCode = 1013 // At is beyond what the node keeps
	CodeTooMany    codec.NackCode = 1014 // you are in, or watch, as many as you may
	CodeNotMember  codec.NackCode = 1015 // you are not in this room
	CodeNoQuestion codec.NackCode = 1016 // the node does not know this question
)

// CodeNames are the names of the codes, in ascending order of these.
var CodeNames = []struct {
	Code    codec.NackCode
	Name    string
	Meaning string
}{
	{CodeQueueFull, "queue_full", "The addressee's queue, or the node's store, is full."},
	{CodeRate, "rate", "You send or join too often."},
	{CodeTryLater, "try_later", "The node could not find out in time: its store or its back end is late. Try again."},
	{CodeFullRoom, "full_room", "The room has as many members as it may."},
	{CodeMalformed, "malformed", "The body is no envelope, or one of a kind that nodes send."},
	{CodeForbidden, "forbidden", "You may not."},
	{CodeTooLarge, "too_large", "It would be larger than a frame when it is delivered."},
	{CodeTooLate, "too_late", "It is to be delivered later than the node keeps it."},
	{CodeTooMany, "too_many", "You are in, or watch, as many as you may."},
	{CodeNotMember, "not_member", "You are not in this room."},
	{CodeNoQuestion, "no_question", "The node does not know this question."},
}
