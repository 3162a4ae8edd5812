"""Who takes part in the demo's events: picks actors and recipients as a real service sees them."""

from random import Random

from demo.dataset.world import World

ONLINE = 400
"""People who have the app open at some time during the run."""
COLLECTORS = 4
"""Customers who order so much that the rate limit must stop some of it."""
TALKED_ABOUT = 20
"""Authors whose posts get all the comments."""
MANY = 50
"""Followers from which on an author counts as well known."""


class Cast:
    """Draws people from a world; the same seed draws the same."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self.online = tuple(random.sample(world.users, min(ONLINE, len(world.users))))
        self._collectors = random.sample(world.users, min(COLLECTORS, len(world.users)))
        sizes = {actor: len(followers) for actor, followers in world.followers.items()}
        self._famous = [actor for actor in sizes if world.is_read(actor)]
        self._known = [a for a, n in sizes.items() if n >= MANY and not world.is_read(a)]
        self._others = [actor for actor, count in sizes.items() if count < MANY]

    def author(self) -> str:
        """Whoever posts: mostly people with few followers, now and then a well-known one."""
        chance = self._random.random()
        if chance < 0.03 and self._famous:
            return self._random.choice(self._famous)
        if chance < 0.08 and self._known:
            return self._random.choice(self._known)
        return self._random.choice(self._others or list(self._world.users))

    def customer(self) -> str:
        """Whoever ordered something."""
        if self._random.random() < 0.06:
            return self._random.choice(self._collectors)
        return self.anyone()

    def pair(self) -> tuple[str, str]:
        """Two different people."""
        first, second = self._random.sample(self._world.users, 2)
        return first, second

    def commented(self) -> tuple[str, str]:
        """An author whose post many talk about, and somebody who comments on it."""
        author = self._random.choice(self.online[:TALKED_ABOUT])
        commenter = self.anyone()
        return (author, commenter) if author != commenter else self.commented()

    def conversation(self) -> tuple[str, list[str]]:
        """A sender and whom they write to: often somebody who is online, at times a group."""
        sender = self.anyone()
        friends = self._world.followers.get(sender, [])
        chance = self._random.random()
        if chance < 0.10 and len(friends) > 1:
            return sender, self._random.sample(friends, min(len(friends), 5))
        if chance < 0.45:
            other = self._random.choice(self.online)
        elif friends and chance < 0.70:
            other = self._random.choice(friends)
        else:
            other = self.anyone()
        return (sender, [other]) if other != sender else self.conversation()

    def anyone(self) -> str:
        """Anybody, each as likely as the next."""
        return self._random.choice(self._world.users)
