"""The motions that the built-in video model knows, and how one says them."""

from __future__ import annotations

LOOPS = frozenset(["bounces", "spins clockwise", "spins counter-clockwise", "shakes", "swings", "stays still"])
PASSING = "pass each other"  # the one motion of two things
ALIVE = "moves by itself"  # as animated emoji do: eyes blink, hands wave
PHRASES = {
    "slides left": ("slides to the left", "slides left", "moves to the left", "glides leftwards"),
    "slides right": ("slides to the right", "slides right", "moves to the right", "glides rightwards"),
    "slides up": ("slides up", "slides upwards", "moves up", "rises"),
    "slides down": ("slides down", "slides downwards", "moves down", "sinks"),
    "bounces": ("bounces", "bounces up and down", "hops", "jumps up and down"),
    "spins clockwise": ("spins clockwise", "rotates clockwise", "turns clockwise"),
    "spins counter-clockwise": ("spins counter-clockwise", "rotates anticlockwise", "turns counterclockwise"),
    "grows": ("grows", "grows bigger", "gets bigger", "becomes larger"),
    "shrinks": ("shrinks", "gets smaller", "becomes smaller"),
    "shakes": ("shakes", "trembles", "vibrates", "shakes from side to side"),
    "swings": ("swings", "swings back and forth", "sways", "swings like a pendulum"),
    "flies off": ("flies off", "flies away", "flies out of the picture", "flies off {way}"),
    "fades in": ("fades in", "fades into view", "appears out of nothing", "becomes visible"),
    "stays still": ("stays still", "does not move", "stays where it is", "rests"),
}
CHANGES: dict[str, frozenset[str]] = {  # where a thing is, its turn, its size, its opacity: what this motion changes
    "slides left": frozenset(["x"]),
    "slides right": frozenset(["x"]),
    "slides up": frozenset(["y"]),
    "slides down": frozenset(["y"]),
    "bounces": frozenset(["y"]),
    "spins clockwise": frozenset(["turn"]),
    "spins counter-clockwise": frozenset(["turn"]),
    "grows": frozenset(["size"]),
    "shrinks": frozenset(["size"]),
    "shakes": frozenset(["x"]),
    "swings": frozenset(["x", "y", "turn"]),
    "flies off": frozenset(["x", "y"]),
    "fades in": frozenset(["opacity"]),
    "stays still": frozenset(),
    PASSING: frozenset(["x"]),
    ALIVE: frozenset(),
}
TOGETHER = ("pass each other", "move past each other", "cross paths")
GERUNDS = {
    "slides": "sliding", "moves": "moving", "glides": "gliding", "rises": "rising", "sinks": "sinking",
    "bounces": "bouncing", "hops": "hopping", "jumps": "jumping", "spins": "spinning", "rotates": "rotating",
    "turns": "turning", "grows": "growing", "gets": "getting", "becomes": "becoming", "shrinks": "shrinking",
    "shakes": "shaking", "trembles": "trembling", "vibrates": "vibrating", "swings": "swinging", "sways": "swaying",
    "flies": "flying", "fades": "fading", "appears": "appearing", "does not move": "not moving", "stays": "staying",
    "rests": "resting", "pass": "passing", "move": "moving", "cross": "crossing",
}  # fmt: skip
SPEED_WORDS = {
    "slowly": ("slowly {}", "{} slowly", "{} at a slow pace"),
    "": ("{}",),
    "quickly": ("quickly {}", "{} quickly", "{} fast", "rapidly {}"),
}
BY_ITSELF = ("{}, moving", "{}, animated", "{}, in motion", "moving {}", "animated {}", "animation of {}")


def gerund(phrase: str) -> str:
    for verb, other in GERUNDS.items():
        if phrase == verb or phrase.startswith(verb + " "):
            return other + phrase[len(verb) :]
    raise KeyError(phrase)
