-- Read skew, found by a write: a delete by a condition after another has changed what was read
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where id = 1;
T2: select * from test;
T2: update test set value = 12 where id = 1;
T2: update test set value = 18 where id = 2;
T2: commit;
T1: delete from test where value = 20;
T1: commit;
