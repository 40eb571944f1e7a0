//! On which threads components compute: those that take long on threads that give way to others.

use std::fs;
use std::path::PathBuf;

use tessera_tests::{Server, Site};

/// Where the system tells of the threads of a name.
fn threads(server: &Server, name: &str) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let folders = tasks.filter_map(|task| Some(task.ok()?.path()));
    let is_one = |folder: &PathBuf| {
        fs::read_to_string(folder.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    folders.filter(is_one).collect()
}

/// What the threads of a name have computed, in hundredths of a second.
fn computed(server: &Server, name: &str) -> u64 {
    let time = |folder: PathBuf| {
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // Behind the name: the state, and as the twelfth and thirteenth the times of the program and of the system for it.
        let (_, rest) = stat.rsplit_once(')')?;
        let times = rest.split_whitespace().skip(11).take(2);
        Some(
            times
                .filter_map(|time| time.parse::<u64>().ok())
                .sum::<u64>(),
        )
    };
    threads(server, name).into_iter().filter_map(time).sum()
}

#[tokio::test]
async fn a_component_of_0_3_is_quick_where_it_is_read_and_gives_way_once_it_has_computed_for_long()
{
    let server = Site::new()
        .guest_with("wasihttp3", "[limits]\ndeadline = \"300 ms\"\n")
        .start()
        .await;
    assert_eq!(server.get("/wasihttp3/").await.status, 200);
    assert_eq!(computed(&server, "tessera-guest"), 0);
    server
        .wait_until("it computes where it gives way", async || {
            // On a busy machine one has little of the processor until its deadline.
            assert_eq!(server.get("/wasihttp3/spin").await.status, 504);
            (computed(&server, "tessera-guest") > 5).then_some(())
        })
        .await;
    // Others of it, which are quick, bring it back.
    server
        .wait_until("it is answered where it is read", async || {
            let given_way = computed(&server, "tessera-guest");
            for _ in 0..50 {
                assert_eq!(server.get("/wasihttp3/").await.status, 200);
            }
            (computed(&server, "tessera-guest") == given_way).then_some(())
        })
        .await;
}
