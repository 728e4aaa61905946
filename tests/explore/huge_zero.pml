/* The counted huge zero page, modelled on its own: from the description, not from the Python.
   USERS read faults take a reference, look at the page and give the reference back; one
   shrinker scans once. BROKEN makes the shrinker trust what it read before.
   At each end the counter and who installed the page are printed. */

byte count = 0;
byte page = 0;                  /* 0: none; n: the page that user n allocated */
bool live[USERS + 1] = false;
byte ended = 0;

proctype user(byte me) {
    byte mine = 0;
    bool won;
    do
    :: atomic { count > 0 -> count++ } ; mine = page ; break
    :: atomic { count == 0 -> skip } ;
        live[me] = true ;
        atomic { won = (page == 0) ; if :: won -> page = me :: else fi } ;
        if
        :: won -> count = 2 ; mine = me ; break
        :: else -> live[me] = false
        fi
    od ;
    assert(mine > 0 && live[mine]) ;
    atomic { assert(count > 0) ; count-- } ;
    ended++
}

proctype shrinker() {
    byte idle;
    bool won = false;
#ifdef BROKEN
    idle = count ;
    if :: idle == 1 -> count = 0 ; won = true :: else fi ;
#else
    atomic { if :: count == 1 -> count = 0 ; won = true :: else fi } ;
#endif
    if
    :: won -> atomic { idle = page ; page = 0 } ; assert(live[idle]) ; live[idle] = false
    :: else
    fi ;
    ended++
}

active proctype watch() {
    ended == USERS + 1 -> c_code { printf("END %d %d\n", now.count, now.page); }
}

init {
    byte n = 1;
    atomic {
        do :: n <= USERS -> run user(n) ; n++ :: else -> break od ;
        run shrinker()
    }
}
