package envelope

import "github.com/stormwheel/stormwheel/codec"

// Codes of a NACK, and of a Receipt or Left, that messaging gives beside codec's. From 1 to 99 the same
// message may be taken another time. Applications own 50 to 99 and those from 1000 on.
const (
	CodeQueueFull codec.NackCode = 10 // the addressee's queue, or the node's store, is full
	CodeRate      codec.NackCode = 11 // you send or join too often
	CodeTryLater  codec.NackCode = 12 // the node could not find out in time: its store or its back end is late
	CodeFullRoom  codec.NackCode = 13 // the room has as many members as it may

	CodeMalformed  codec.NackCode = 110 // the body is no envelope, or one of a kind that nodes send
	CodeForbidden  codec.NackCode = 111 // you may not
	CodeTooLarge   codec.NackCode = 112 // it would be larger than a frame when it is delivered
	CodeTooLate    codec.NackCode = 113 // At is beyond what the node keeps
	CodeTooMany    codec.NackCode = 114 // you are in, or watch, as many as you may
	CodeNotMember  codec.NackCode = 115 // you are not in this room
	CodeNoQuestion codec.NackCode = 116 // the node does not know this question
)

// CodeNames are the names of the codes, in ascending order of these.
var CodeNames = []struct {
	Code    codec.NackCode
	Name    string
	Meaning string
}{
	{CodeQueueFull, "queue_full", "The addressee's queue, or the node's store, is full."},
	{CodeRate, "rate", "You send or join too often."},
	{CodeTryLater, "try_later", "The node could not find out in time: its store or its back end is late."},
	{CodeFullRoom, "full_room", "The room has as many members as it may."},
	{CodeMalformed, "malformed", "The body is no envelope, or one of a kind that nodes send."},
	{CodeForbidden, "forbidden", "You may not."},
	{CodeTooLarge, "too_large", "It would be larger than a frame when it is delivered."},
	{CodeTooLate, "too_late", "It is to be delivered later than the node keeps it."},
	{CodeTooMany, "too_many", "You are in, or watch, as many as you may."},
	{CodeNotMember, "not_member", "You are not in this room."},
	{CodeNoQuestion, "no_question", "The node does not know this question."},
}
