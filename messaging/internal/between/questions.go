package between

// How the questions' group of kinds is filled. What is asked and answered is JSON: people ask, and seldom.
//
//	ASK     Token, Code: what is asked, Body: about what
//	ANSWER  Token, Body; or Result: NotHere, or No with Reason

// NotHere is the Result of an Answer about what the node does not have.
const NotHere uint64 = 14
