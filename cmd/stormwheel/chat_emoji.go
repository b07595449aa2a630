package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// emoji by the names that people type between colons.
var emoji = map[string]string{
	"smile": "😄", "grin": "😁", "joy": "😂", "wink": "😉", "blush": "😊", "heart_eyes": "😍", "kiss": "😘", "tongue": "😛",
	"cool": "😎", "neutral": "😐", "thinking": "🤔", "sad": "😢", "cry": "😭", "angry": "😠", "scream": "😱", "sleepy": "😴",
	"sick": "🤒", "shrug": "🤷", "facepalm": "🤦", "wave": "👋", "ok": "👌", "thumbsup": "👍", "thumbsdown": "👎", "clap": "👏",
	"pray": "🙏", "muscle": "💪", "eyes": "👀", "heart": "💖", "broken_heart": "💔", "star": "⭐", "fire": "🔥", "sparkles": "✨",
	"tada": "🎉", "gift": "🎁", "rocket": "🚀", "bug": "🐛", "coffee": "☕", "tea": "🍵", "beer": "🍺", "pizza": "🍕",
	"cake": "🍰", "sun": "🌞", "rain": "🌧", "storm": "⛈", "snow": "⛄", "rainbow": "🌈", "cat": "🐱", "dog": "🐶",
	"check": "✅", "x": "❌", "warning": "⚠", "question": "❓", "bulb": "💡", "lock": "🔒", "key": "🔑", "bell": "🔔",
	"clock": "⏰", "phone": "📞", "mail": "📧", "wheel": "🎡",
}

var (
	emojiNames   = slices.Sorted(maps.Keys(emoji))
	emojiPattern = regexp.MustCompile(`:[a-z_]+:`)
)

// withEmoji replaces the names that are known; others stay.
func withEmoji(text string) string {
	return emojiPattern.ReplaceAllStringFunc(text, func(name string) string {
		if e, known := emoji[strings.Trim(name, ":")]; known {
			return e
		}
		return name
	})
}

// isEmoji tells a text that begins with an emoji's name from a command.
func isEmoji(word string) bool {
	at := emojiPattern.FindStringIndex(word)
	return at != nil && at[0] == 0
}
