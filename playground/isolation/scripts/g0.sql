-- Write cycle: two transactions write both rows, and would overwrite one another's writes in opposite orders
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: update test set value = 11 where id = 1;
T2: update test set value = 12 where id = 1;
T1: update test set value = 21 where id = 2;
T1: commit;
T2: update test set value = 22 where id = 2;
T2: commit;
