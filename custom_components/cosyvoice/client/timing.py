"""Every wait of the client, in one place.

A service that is silent is given up after ``deadline`` and the rest of the attempt
under way; one that is slow but answers, after ``limit`` without a sentence.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time limits of the client, all in seconds.

    Attributes:
        deadline: No further attempt is made once the failed waits for the service add
            up to this without progress.
        limit: No further attempt is made this long after the first failure without
            progress.
        connect: Longest wait for a connection: at a round trip of 2 s, TCP, TLS and
            the WebSocket handshake take up to 8 s.
        another: Wait for a connection after which another one is opened beside it.
            The first that is ready is used.
        attempt: Longest wait for each further step of the service: the started
            task, then each message while audio is due.
        reuse: Longest wait for a kept connection to answer, or twice the last
            task's start if that is longer. A connection that died unnoticed is
            replaced after it.
        http: Longest wait for an answer of the HTTP side that speech depends on: a
            temporary key, the cause of a refused handshake.
        backoff: Pause before the second attempt; doubled for each further one.
        backoff_limit: Longest pause between two attempts.
        first_flush_after: Pause of the text after its first sentence at which the
            sentence is spoken without waiting for more.
        flush_after: The same for later sentences, while the first one plays.
        flush_patience: Time after which a flush counts as ignored. The task is
            finished instead.
        text_pause: Pause of the text at which an unfinished sentence is spoken as far
            as it was written, unless the player has audio left.
        text_pause_limit: The same after a sentence whose audio has not arrived yet.
        text_ahead: The player has audio left if it lasts longer than this.
        patience: Wait of the player for the end of a sentence at which the complete
            clauses are spoken.
        pause: Pause of the text at which the task is finished. Another one is started
            when the text continues. The service allows 23 s between two pieces of
            text (Model Studio, CosyVoice WebSocket API).
        idle_limit: Time without a task after which a connection is not reused. The
            service closes it after 60 s (same source).
        task_limit: Time within which a task started in advance is used or renewed.
            The service ends it after 23 s without text (same source).
        keep_warm: Time after the last use for which a connection is kept ready.
        renew: Shortest time between two connections that are opened ahead to be kept
            ready. The service closes each after 60 s (same source).
        kept_limit: Age at which such a connection is dropped if the service has not
            closed it. By then another one has taken its place.
        warm_backoff: Pause after a failed warm-up; doubled for each further one.
        warm_backoff_limit: Longest pause between two warm-ups, or between two
            connections that are opened ahead.
        turn: Longest wait for another task of the account to end, if the service
            runs no more at a time.
        start_window: Length of the service's window for counting task starts,
            with a margin for the network (documented: 1 s).
        close: Longest wait for the service to confirm a closed connection.
        low_water: Silence is added if the player has less audio than this left and
            ``stall`` has passed.
        stall: Shortest time since the last speech before silence is added.
        first_silence: Longest wait for the first speech before silence is added. A
            Voice PE stops waiting after 5 s without audio.
        upload: Shortest limit for an upload of a recording. From abroad, 10 to 30
            kB/s were reported.
        create: Longest wait for a voice to be created.
        look_up: Time for which a voice is searched for whose creation was not
            confirmed.
        poll: Pause between two questions about the same voice.
        ready: Longest wait for a new voice to be ready; 6 to 10 s were reported.
    """

    deadline: float = 10.0
    limit: float = 25.0
    connect: float = 10.0
    another: float = 1.0
    attempt: float = 5.0
    reuse: float = 1.3
    http: float = 2.0
    backoff: float = 0.2
    backoff_limit: float = 2.0
    first_flush_after: float = 0.02
    flush_after: float = 0.3
    flush_patience: float = 2.0
    text_pause: float = 0.6
    text_pause_limit: float = 1.0
    text_ahead: float = 1.0
    patience: float = 2.0
    pause: float = 10.0
    idle_limit: float = 55.0
    task_limit: float = 18.0
    keep_warm: float = 60.0
    renew: float = 60.0
    kept_limit: float = 65.0
    warm_backoff: float = 5.0
    warm_backoff_limit: float = 300.0
    turn: float = 60.0
    start_window: float = 1.05
    close: float = 1.0
    low_water: float = 0.5
    stall: float = 0.4
    first_silence: float = 2.0
    upload: float = 300.0
    create: float = 30.0
    look_up: float = 10.0
    poll: float = 2.0
    ready: float = 60.0
