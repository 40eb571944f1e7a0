//! Places: who gets one, who waits, and that none is ever lost.

use super::*;

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(60);

fn none() -> Option<u32> {
    None
}

fn all(holder: &Holder<u32>) -> Vec<Slot<u32>> {
    std::iter::from_fn(|| holder.try_take()).collect()
}

#[test]
fn one_component_has_all_places() {
    let slots = Slots::<u32>::new(9);
    let only = slots.holder(&"only".into());
    let taken = all(&only);
    assert_eq!((taken.len(), slots.taken_and_waiting()), (9, (9, 0)));
    drop(taken);
    assert_eq!(slots.taken_and_waiting(), (0, 0));
}

#[test]
fn a_greedy_component_leaves_each_other_its_share() {
    let slots = Slots::<u32>::new(20);
    let names = ["greedy", "one", "two", "three", "four"];
    let holders: Vec<_> = names
        .iter()
        .map(|name| slots.holder(&(*name).into()))
        .collect();
    let mut taken: Vec<_> = holders.iter().map(all).collect();
    let counts: Vec<_> = taken.iter().map(Vec::len).collect();
    assert_eq!(counts, [12, 2, 2, 2, 2]);
    // What one gives back of its share is its own again, and what is beyond anybody's.
    taken[1].pop();
    assert!(holders[2].try_take().is_none());
    let again = holders[1].try_take();
    assert!(again.is_some());
    taken[0].pop();
    let beyond = holders[4].try_take();
    assert!(beyond.is_some() && holders[0].try_take().is_none());
}

#[test]
fn a_place_for_each_is_the_least_and_more_components_than_places_share_nothing() {
    let slots = Slots::<u32>::new(2);
    let one = slots.holder(&"one".into());
    let two = slots.holder(&"two".into());
    let taken = (all(&one), all(&two));
    assert_eq!((taken.0.len(), taken.1.len()), (1, 1));
    drop(taken);
    let _three = slots.holder(&"three".into());
    assert_eq!(all(&two).len(), 2);
}

#[test]
fn generations_of_one_component_have_one_share() {
    let slots = Slots::<u32>::new(8);
    let old = slots.holder(&"a".into());
    let new = slots.holder(&"a".into());
    let other = slots.holder(&"b".into());
    let taken = (all(&old), all(&new), all(&other));
    assert_eq!((taken.0.len(), taken.1.len(), taken.2.len()), (6, 0, 2));
    // What still runs counts on when its generation is gone.
    drop(old);
    assert!(new.try_take().is_none());
    drop((new, taken));
    assert_eq!(all(&other).len(), 8);
}

#[tokio::test]
async fn a_queue_has_an_end_and_a_wait_too() {
    let slots = Slots::<u32>::new(1);
    let only = slots.holder(&"only".into());
    let slot = only.try_take();
    assert_eq!(
        only.wait(0, LONG, none).await.err(),
        Some(NoSlot::QueueFull)
    );
    assert_eq!(only.wait(1, SHORT, none).await.err(), Some(NoSlot::Late));
    assert_eq!(only.waiting_and_refused(), (0, 2));
    let (waited, ()) = tokio::join!(only.wait(1, LONG, none), async {
        assert_eq!(only.waiting_and_refused().0, 1);
        assert_eq!(
            only.wait(1, LONG, none).await.err(),
            Some(NoSlot::QueueFull)
        );
        drop(slot);
    });
    assert_eq!(slots.taken_and_waiting(), (1, 0));
    slots.let_wait(false);
    assert_eq!(
        only.wait(9, LONG, none).await.err(),
        Some(NoSlot::QueueFull)
    );
    drop(waited);
    assert!(only.wait(0, LONG, none).await.is_ok());
}

#[tokio::test]
async fn components_take_turns_and_a_share_goes_first() {
    let slots = Slots::<u32>::new(4);
    let hot = slots.holder(&"hot".into());
    let other = slots.holder(&"other".into());
    let mut of_hot = all(&hot);
    let mut of_other = all(&other);
    assert_eq!((of_hot.len(), of_other.len()), (3, 1));
    let order = Mutex::new(Vec::new());
    let wait = async |holder: &Holder<u32>, name: &'static str| {
        let slot = holder.wait(9, LONG, none).await.ok();
        order.lock().push(name);
        slot
    };
    let free = async {
        // Beyond anybody's share: by turns. Of the other's share: the other's.
        of_hot.pop();
        tokio::task::yield_now().await;
        of_other.pop();
        tokio::task::yield_now().await;
        of_hot.clear();
    };
    tokio::join!(
        wait(&hot, "hot"),
        wait(&hot, "hot"),
        wait(&other, "other"),
        free
    );
    assert_eq!(order.into_inner(), ["hot", "other", "hot"]);
}

#[tokio::test]
async fn an_idle_instance_goes_to_who_waits_for_it() {
    let slots = Slots::<u32>::new(4);
    let name = "a".into();
    let (old, new) = (slots.holder(&name), slots.holder(&name));
    let other = slots.holder(&"b".into());
    let (slots_of_a, _slots_of_b) = (all(&old), all(&other));
    assert!(!new.does_anybody_wait());
    assert_eq!(new.pass_on(1), Passed::Kept(1));
    let (waited, ()) = tokio::join!(new.wait(9, LONG, none), async {
        assert!(new.does_anybody_wait());
        // Of another generation, it is of no use.
        assert_eq!(old.pass_on(2), Passed::Dropped);
        assert_eq!(new.pass_on(3), Passed::HandedOver);
    });
    assert!(matches!(waited, Ok(Place::Instance(3))));
    assert!(!new.does_anybody_wait());
    assert_eq!(new.pass_on(4), Passed::Kept(4));
    // What was kept while nobody knew is found.
    let found = new.wait(9, LONG, || Some(5)).await;
    assert!(matches!(found, Ok(Place::Instance(5))));
    // What is beyond one's share goes to another that waits.
    let (waited, ()) = tokio::join!(other.wait(9, SHORT, none), async {
        assert_eq!(new.pass_on(6), Passed::Dropped);
        drop(slots_of_a);
    });
    assert!(matches!(waited, Ok(Place::Slot(_))));
}

#[tokio::test]
async fn nothing_is_lost_whoever_gives_up() {
    let slots = Slots::<u32>::new(3);
    let holders = ["a", "b", "c"].map(|name| Arc::new(slots.holder(&name.into())));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..300_u64 {
        let holder = holders[usize::try_from(number % 3).unwrap()].clone();
        tasks.spawn(async move {
            let patience = Duration::from_micros(number * 37 % 900);
            let slot = holder.wait(50, patience, none).await;
            for _ in 0..number % 5 {
                tokio::task::yield_now().await;
            }
            drop(slot);
        });
        if number % 7 == 0 {
            tasks.spawn(tokio::task::yield_now()).abort();
        }
        if number % 11 == 0 {
            // Those that wait are gone all at once.
            tasks.abort_all();
        }
    }
    while tasks.join_next().await.is_some() {}
    assert_eq!(slots.taken_and_waiting(), (0, 0));
    assert_eq!(slots.state.lock().turns.len(), 0);
    drop(holders);
    assert_eq!(slots.state.lock().owners.len(), 0);
}
